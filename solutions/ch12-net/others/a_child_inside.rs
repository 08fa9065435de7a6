//! Uses only libc: a child moves to the new network namespace, and the parent stays outside.

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt as _;
use std::thread;

fn main() {
    let words = std::env::args_os().skip(1).map(|word| CString::new(word.into_vec()).unwrap());
    let words: Vec<CString> = words.collect();
    let [port, outside, inside, _, command @ ..] = words.as_slice() else { std::process::exit(2) };
    let port: u16 = port.to_str().unwrap().parse().unwrap();
    let mut argv: Vec<_> = command.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: each fork happens while its process has one thread, and every pointer is valid for its
    // call.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        listen(socket, port);
        let child = libc::fork();
        if child == 0 {
            assert_eq!(libc::unshare(libc::CLONE_NEWNET), 0);
            let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            let mut request: libc::ifreq = std::mem::zeroed();
            request.ifr_name[0] = b'l' as _;
            request.ifr_name[1] = b'o' as _;
            assert_eq!(libc::ioctl(socket, libc::SIOCGIFFLAGS as _, &raw mut request), 0);
            request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
            assert_eq!(libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request), 0);
            listen(socket, port);
            let command = libc::fork();
            if command == 0 {
                libc::execvp(argv[0], argv.as_ptr());
                libc::_exit(127);
            }
            serve(socket, inside.clone());
            libc::_exit(status(command));
        }
        serve(socket, outside.clone());
        libc::_exit(status(child));
    }
}

fn listen(socket: i32, port: u16) {
    // SAFETY: all zeroes are a valid sockaddr_in, and `length` is its size.
    unsafe {
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as _;
        address.sin_port = port.to_be();
        address.sin_addr.s_addr = libc::INADDR_LOOPBACK.to_be();
        let length = size_of::<libc::sockaddr_in>() as _;
        assert_eq!(libc::bind(socket, (&raw const address).cast(), length), 0);
        assert_eq!(libc::listen(socket, 8), 0);
    }
}

fn serve(socket: i32, text: CString) {
    thread::spawn(move || {
        loop {
            // SAFETY: null pointers request no address, and `text` is as long as it says.
            unsafe {
                let client = libc::accept(socket, std::ptr::null_mut(), std::ptr::null_mut());
                libc::write(client, text.as_ptr().cast(), text.count_bytes());
                libc::close(client);
            }
        }
    });
}

fn status(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 }
}
