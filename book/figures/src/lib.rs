//! The figures of "Linux Namespaces by Hand".

pub mod stepper;
