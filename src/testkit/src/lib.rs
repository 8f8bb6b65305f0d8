//! Test support: a cast of people, real nodes, seeded faults.
