//! The client engine: keys, devices, rooms, messages. Sans-I/O, the same native and in the browser.
