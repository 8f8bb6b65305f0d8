//! Just enough of a lexer: what is code, what is a comment, what is a string. Works for Rust and for TypeScript and Svelte.

/// What to keep of a source; the rest becomes blanks, line breaks stay, so that offsets and line numbers stay right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Code only.
    Code,
    /// Code and the contents of strings, no comments.
    CodeAndStrings,
}

/// A source with comments (and strings) blanked out. The path tells the language.
pub fn strip(path: &str, text: &str, keep: Keep) -> String {
    let rust = path.ends_with(".rs");
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (end, visible) = match token_end(&chars, at, rust) {
            Token::Comment(end) => (end, false),
            Token::Text(end) => (end, keep == Keep::CodeAndStrings),
            Token::Code(end) => (end, true),
        };
        for &c in chars.iter().take(end).skip(at) {
            out.push(if visible || c == '\n' { c } else { ' ' });
        }
        at = end.max(at + 1);
    }
    out
}

enum Token {
    Comment(usize),
    Text(usize),
    Code(usize),
}

fn token_end(chars: &[char], at: usize, rust: bool) -> Token {
    let peek = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let before = at.checked_sub(1).and_then(|index| chars.get(index)).copied().unwrap_or(' ');
    match (peek(0), peek(1)) {
        ('/', '/') => Token::Comment(find(chars, at, "\n")),
        ('/', '*') => Token::Comment(block_comment_end(chars, at, rust)),
        ('<', '!') if !rust && peek(2) == '-' && peek(3) == '-' => {
            Token::Comment(find(chars, at + 4, "-->") + 3)
        }
        ('r', '"' | '#') if rust && !is_word(before) => raw_string_end(chars, at + 1),
        ('b', 'r') if rust && !is_word(before) && matches!(peek(2), '"' | '#') => {
            raw_string_end(chars, at + 2)
        }
        ('"', _) => Token::Text(quoted_end(chars, at)),
        // In Rust a quote that closes neither after one character nor after an escape is a lifetime or a label.
        ('\'', inner) if rust && inner != '\\' && peek(2) != '\'' => Token::Code(at + 1),
        ('\'', _) => Token::Text(quoted_end(chars, at)),
        ('`', _) if !rust => Token::Text(quoted_end(chars, at)),
        _ => Token::Code(at + 1),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The index of the next `needle` from `from`, or the end.
fn find(chars: &[char], from: usize, needle: &str) -> usize {
    let needle: Vec<char> = needle.chars().collect();
    (from..chars.len())
        .find(|&index| chars.iter().skip(index).take(needle.len()).eq(needle.iter()))
        .unwrap_or(chars.len())
}

/// Behind the end of a block comment; in Rust they nest.
fn block_comment_end(chars: &[char], at: usize, nest: bool) -> usize {
    let (mut depth, mut index) = (1_usize, at + 2);
    while index < chars.len() {
        match (chars.get(index), chars.get(index + 1)) {
            (Some('/'), Some('*')) if nest => (depth, index) = (depth + 1, index + 2),
            (Some('*'), Some('/')) if depth <= 1 => return index + 2,
            (Some('*'), Some('/')) => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
    }
    index
}

/// From the first `#` or `"` of a raw string to behind its end; a raw identifier is code.
fn raw_string_end(chars: &[char], from: usize) -> Token {
    let hashes = chars.iter().skip(from).take_while(|c| **c == '#').count();
    if chars.get(from + hashes) != Some(&'"') {
        return Token::Code(from);
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Token::Text(find(chars, from + hashes + 1, &close) + close.len())
}

/// Behind the closing quote. A `'` string ends with its line at the latest, so that an apostrophe in text costs one line.
fn quoted_end(chars: &[char], at: usize) -> usize {
    let quote = chars.get(at).copied().unwrap_or('"');
    let mut index = at + 1;
    while let Some(&c) = chars.get(index) {
        match c {
            '\\' => index += 1,
            '\n' if quote == '\'' => return index,
            _ if c == quote => return index + 1,
            _ => {}
        }
        index += 1;
    }
    chars.len()
}

/// The line, from 1, of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Lines, from 1, where `word` stands by itself, not within a longer word.
pub fn lines_with(text: &str, word: &str) -> Vec<usize> {
    offsets_of(text, word).map(|offset| line_of(text, offset)).collect()
}

/// Byte offsets where `word` stands by itself: where it begins or ends with a letter, no letter may touch it there.
pub fn offsets_of<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let word_start = word.starts_with(is_word);
    let word_end = word.ends_with(is_word);
    text.match_indices(word).map(|(offset, _)| offset).filter(move |&offset| {
        let before = text.get(..offset).and_then(|part| part.chars().next_back()).unwrap_or(' ');
        let after = text.get(offset + word.len()..).and_then(|part| part.chars().next()).unwrap_or(' ');
        !(word_start && is_word(before) || word_end && is_word(after))
    })
}

/// Is the whole file test code?
pub fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.ends_with(".spec.ts")
}

/// Splits a Rust source where its tests begin: by habit the test module is the last item of a file. Where it is a file of its
/// own it only has its name here, and all here is code.
pub fn split_at_tests(text: &str) -> (&str, &str) {
    let starts = offsets_of(text, "#[cfg(test)]\nmod ");
    let mut bodies = starts.filter(|offset| {
        let module = text.get(*offset..).and_then(|rest| rest.lines().nth(1));
        module.is_some_and(|line| line.contains('{'))
    });
    bodies.next().map_or((text, ""), |offset| text.split_at(offset))
}

#[test]
fn tests_begin_where_their_module_has_a_body() {
    let inner = "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(split_at_tests(inner), ("fn a() {}\n", "#[cfg(test)]\nmod tests {\n}\n"));
    let outer = "#[cfg(test)]\nmod tests;\nfn a() {}\n";
    assert_eq!(split_at_tests(outer), (outer, ""));
}

#[test]
fn comments_and_strings_are_told_from_code() {
    let source = "let a = \"sled // no\"; // sled\n/* a /* b */ sled */ let c = ('\"', b'\\''); let r = r#\"s\"led\"#; fn f<'a>(x: &'a str, y: &'a str) where T: 'a {}\n";
    let code = strip("a.rs", source, Keep::Code);
    assert!(!code.contains("sled") && !code.contains("led"), "{code}");
    assert!(
        code.contains("fn f<'a>(x: &'a str, y: &'a str) where T: 'a {}")
            && code.contains("let c =")
            && code.contains("let r ="),
        "{code}"
    );
    assert_eq!(code.matches('\n').count(), 2);
    assert!(strip("a.rs", source, Keep::CodeAndStrings).contains("sled // no"));
    assert!(!strip("a.rs", source, Keep::CodeAndStrings).contains("// sled"));
}

#[test]
fn typescript_and_markup_are_read_too() {
    let source = "import a from './b'; // './c'\n<!-- './d' --> <p>don't</p>\nconst e = 'f';\n";
    let code = strip("a.svelte", source, Keep::CodeAndStrings);
    assert!(
        code.contains("'./b'") && code.contains("'f'") && !code.contains("./c") && !code.contains("./d"),
        "{code}"
    );
}

#[test]
fn words_are_whole_words() {
    assert_eq!(lines_with("asleep()\nsleep(\nsleep", "sleep"), [2, 3]);
    assert_eq!(lines_with("prefetch(\nfetch(\na.fetch(", "fetch("), [2, 3]);
}

#[test]
fn tests_are_told_from_the_rest() {
    assert_eq!(split_at_tests("a\n#[cfg(test)]\nmod tests {\nb\n}\n").0, "a\n");
    assert_eq!(split_at_tests("a\n#[cfg(test)]\nmod tests;\n").1, "");
    assert!(is_test_file("src/store/src/journal/tests.rs") && is_test_file("src/wire/tests/golden.rs"));
    assert!(!is_test_file("src/testkit/src/lib.rs"));
}
