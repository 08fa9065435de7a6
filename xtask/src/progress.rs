//! Which chapters are solved.
