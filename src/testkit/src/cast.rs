//! The people of the tests.

/// Names that tests share. Each is of another length, and their passwords have nothing in common, so that a mixed-up one
/// fails loudly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// The owner of the node in most stories.
    Alice,
    /// Her friend.
    Bob,
    /// Whom nobody invited.
    Carol,
}

impl Cast {
    /// The name on the node.
    pub fn name(self) -> &'static str {
        match self {
            Cast::Alice => "alice",
            Cast::Bob => "bob",
            Cast::Carol => "carol-9",
        }
    }

    /// What others read.
    pub fn display_name(self) -> &'static str {
        match self {
            Cast::Alice => "Alice Liddell",
            Cast::Bob => "Bob",
            Cast::Carol => "卡萝",
        }
    }

    /// The password.
    pub fn password(self) -> &'static str {
        match self {
            Cast::Alice => "rabbit-hole-1865",
            Cast::Bob => "correct horse battery",
            Cast::Carol => "十二个汉字的密码也可以用",
        }
    }
}
