//! Uses only libc, and no child: the program mounts, and then executes COMMAND in its own place.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let token = CString::new(format!("{}/token", words[0].to_str().unwrap())).unwrap();
    let text = words[1].as_bytes();
    let (null, tmpfs) = (std::ptr::null(), c"tmpfs".as_ptr());
    // SAFETY: this process has one thread. Every pointer is null or a C string that outlives its call,
    // and `text` is as long as it says.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) != 0
            || libc::mount(null, c"/".as_ptr(), null, libc::MS_SLAVE | libc::MS_REC, null.cast())
                != 0
            || libc::mount(tmpfs, words[0].as_ptr(), tmpfs, libc::MS_NOSUID, null.cast()) != 0
        {
            libc::perror(c"ch07-mount".as_ptr());
            libc::_exit(1);
        }
        let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
        let file = libc::open(token.as_ptr(), flags, 0o600);
        if libc::write(file, text.as_ptr().cast(), text.len()) != text.len() as isize {
            libc::perror(c"write".as_ptr());
            libc::_exit(1);
        }
        let mut argv: Vec<_> = words[3..].iter().map(|word| word.as_ptr()).collect();
        argv.push(null);
        libc::execvp(argv[0], argv.as_ptr());
        libc::_exit(127);
    }
}
