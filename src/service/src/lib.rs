//! All behaviour of a node, a folder a feature.
