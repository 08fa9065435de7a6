//! What a process outside the lab finds by looking at one inside, and by entering its namespaces.

mod look;
mod network;
