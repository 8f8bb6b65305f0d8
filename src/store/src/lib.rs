//! Ordered tables with atomic commits: a journal that is the truth, and an index.
