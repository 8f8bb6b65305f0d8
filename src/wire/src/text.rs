//! What may stand in texts of others before they are shown. Engine, browser and terminal keep to the same two rules: one for
//! names, by which people are told apart, and a milder one for what people write.

use std::ops::RangeInclusive;

/// Where a pictogram stands that others are joined to: the families of emoji are several of them with joiners between.
const PICTOGRAMS: [RangeInclusive<char>; 4] =
    ['\u{2194}'..='\u{2195}', '\u{2600}'..='\u{27bf}', '\u{2b00}'..='\u{2bff}', '\u{1f000}'..='\u{1faff}'];

/// What stands in a text unseen: Unicode's Default_Ignorable_Code_Point, with the other format characters (category Cf, not all
/// of which show) and the braille pattern that has no dot.
const UNSEEN: [RangeInclusive<char>; 26] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Joins what stands around it to one picture, or letters to one form.
const JOINER: char = '\u{200d}';

fn within(ranges: &[RangeInclusive<char>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&c))
}

/// What drives whoever shows the text: controls (escape sequences begin with one), the separators of lines and paragraphs, and
/// what turns the writing direction (Bidi_Control: UAX #9, 2).
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A name, an address or a code: nothing that steers, and nothing unseen, for by that two names would look alike. A joiner
/// stays between two pictograms.
#[must_use]
pub fn name(text: &str) -> String {
    let mut name = String::new();
    let mut joiner = false;
    for c in text.chars() {
        if c == JOINER {
            joiner = name.chars().next_back().is_some_and(|before| within(&PICTOGRAMS, before));
        } else if !steers(c) && !within(&UNSEEN, c) {
            if joiner && within(&PICTOGRAMS, c) {
                name.push(JOINER);
            }
            joiner = false;
            name.push(c);
        }
    }
    name
}

/// What people write: nothing that steers, save the ends of lines. What is unseen stays, for Persian, Mongolian and the families
/// of emoji are written with it.
#[must_use]
pub fn body(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !steers(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Against the tables of Unicode that the test's library has.
        #[test]
        fn a_name_holds_nothing_unseen(
            text in r"[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\x{2800}]{1,9}"
        ) {
            prop_assert_eq!(name(&text), "", "{}", text.escape_unicode());
            prop_assert_eq!(name(&format!("b{text}ob")), "bob", "{}", text.escape_unicode());
        }

        #[test]
        fn a_name_may_be_of_any_script(
            text in r"[[\p{L}\p{M}\p{N}\p{P}\p{Zs}\p{Emoji_Presentation}]--\p{Default_Ignorable_Code_Point}]{1,9}"
        ) {
            prop_assert_eq!(name(&text), text.clone());
        }

        /// A name that was made harmless is not changed again, so that it is the same wherever it is shown.
        #[test]
        fn a_name_is_made_harmless_once(text in r"[\x{200d}\x{200b}\x{fe0f}a\x{1f469}\x{1f467}\x{2764}]{0,9}") {
            prop_assert_eq!(name(&name(&text)), name(&text), "{}", text.escape_unicode());
        }

        #[test]
        fn nothing_in_a_body_steers(text in r"[[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]--\n]{1,9}") {
            prop_assert_eq!(body(&text), "", "{}", text.escape_unicode());
        }

        #[test]
        fn what_people_write_stays(text in r"[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]{0,9}\n[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]{0,9}") {
            prop_assert_eq!(body(&text), text.clone());
        }
    }

    #[test]
    fn one_name_cannot_look_like_another() {
        for text in [
            "bo\u{61c}b",
            "bo\u{fe00}b",
            "b\u{34f}o\u{17b4}b\u{180b}",
            "\u{2800}bob",
            "\u{202e}bob",
            "b\u{200b}o\u{200d}b",
            "bob\u{200d}",
            "bob\u{feff}\u{e0041}",
            "\u{3164}bob\u{2066}",
        ] {
            assert_eq!(name(text), "bob", "{}", text.escape_unicode());
        }
    }

    #[test]
    fn joiners_stay_where_they_join() {
        let (family, cook) = ("👩\u{200d}👩\u{200d}👧", "👩🏽\u{200d}🍳");
        for text in [family, cook] {
            assert_eq!((name(text).as_str(), body(text).as_str()), (text, text));
        }
        assert_eq!(name("👩\u{200d}\u{200d}bob"), "👩bob");
        assert_eq!(name("👩\u{200d}\u{200b}👧"), "👩\u{200d}👧");
        // "I go" in Persian, with its non-joiner; a flag that is written with tags; a heart in colour.
        for text in ["می\u{200c}روم", "🏴\u{e0067}\u{e0062}\u{e007f}", "❤\u{fe0f}"] {
            assert_eq!(body(text), text);
        }
    }
}
