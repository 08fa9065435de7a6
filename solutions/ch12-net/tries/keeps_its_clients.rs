//! Named: the server does not close the connection
//! Each client is kept in a list, in case there is more to say.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

struct Server {
    text: String,
    clients: Vec<TcpStream>,
}

impl Server {
    fn start(port: u16, text: &str) {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("bind");
        let mut server = Server { text: text.to_owned(), clients: Vec::new() };
        thread::spawn(move || {
            while let Ok((mut client, _)) = listener.accept() {
                client.write_all(server.text.as_bytes()).expect("write");
                server.clients.push(client);
            }
        });
    }
}

fn up() {
    // SAFETY: the structure is of integers, and outlives the calls.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        libc::strcpy(request.ifr_name.as_mut_ptr(), c"lo".as_ptr());
        request.ifr_ifru.ifru_flags = libc::IFF_UP as i16;
        assert!(libc::ioctl(fd, libc::SIOCSIFFLAGS, &request) == 0, "ioctl");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args[1].parse().expect("PORT");
    Server::start(port, &args[2]);
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    up();
    Server::start(port, &args[3]);
    let status = Command::new(&args[5]).args(&args[6..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
