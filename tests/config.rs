//! `node.toml` is the whole truth about the configuration, and mistakes in it are told so that an operator can mend them.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::PathBuf};
use weft_node::{
    Config, ConfigError,
    config::{LogFormat, Place, TlsMode, range_of},
};
use weft_wire::node::SignupPolicy;

struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> File {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("node.toml"), text).unwrap();
        File(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("node.toml")
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(Some(&self.path()), env.iter().map(|(name, value)| (name.into(), value.into())))
    }
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("node.toml")
}

#[test]
fn node_toml_holds_every_key_with_its_default() {
    let text = fs::read_to_string(shipped()).unwrap();
    let written: toml::Table = toml::from_str(&text).unwrap();
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    assert_eq!(written, defaults, "node.toml and the defaults in src/node/src/config differ");
    assert_eq!(Config::load(Some(&shipped()), []).unwrap(), Config::default());
}

#[test]
fn every_key_of_node_toml_is_explained() {
    let text = fs::read_to_string(shipped()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in
        lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'))
    {
        assert!(
            number > 0 && lines[number - 1].starts_with("# "),
            "line {}: `{line}` has no explanation",
            number + 1
        );
    }
}

#[test]
fn an_unknown_key_is_told_with_file_line_and_a_guess() {
    let file = File::new("[node]\ntitle = \"Home\"\n\n[http]\n# a comment\nlistn = [\"127.0.0.1:1\"]\n");
    let error = file.load(&[]).unwrap_err();
    let ConfigError::UnknownKey { place, key, suggestion, known } = &error else { panic!("{error:?}") };
    assert_eq!(place, &Place::File { path: file.path(), line: 6 });
    assert_eq!(key, "http.listn");
    assert_eq!(suggestion.as_deref(), Some("listen"));
    assert!(known.contains("`trusted_proxies`"));
    let text = error.to_string();
    assert!(text.contains("node.toml, line 6") && text.contains("did you mean `listen`"), "{text}");
}

#[test]
fn an_unknown_section_is_told() {
    let error = File::new("[nod]\ntitle = \"Home\"\n").load(&[]).unwrap_err();
    let ConfigError::UnknownKey { place: Place::File { line, .. }, suggestion, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((*line, suggestion.as_deref()), (1, Some("node")));
}

#[test]
fn an_ill_typed_value_is_told_with_what_was_expected() {
    for (text, line, key, wanted) in [
        ("[storage]\ncache_mib = \"much\"\n", 2, "storage.cache_mib", "a whole number from 1 to 65536"),
        (
            "[storage]\n\ncache_mib = -1\n",
            3,
            "storage.cache_mib",
            "found `-1`, expected a whole number from 1",
        ),
        ("[storage]\ncache_mib = 1.5\n", 2, "storage.cache_mib", "a whole number from 1"),
        ("[storage]\ndata = 3\n", 2, "storage.data", "found `3`, expected a text in quotes"),
        ("[tls]\noff_on_public_address = \"no\"\n", 2, "tls.off_on_public_address", "`true` or `false`"),
        ("[node]\ntitle = [\"x\"]\n", 2, "node.title", "found a list, expected a text in quotes"),
        ("log = 3\n", 1, "log", "found `3`, expected a section"),
        ("[limits]\nrate_multiplier = \"x\"\n", 2, "limits.rate_multiplier", "0, or a number from 0.01"),
        (
            "[node]\nsignup = \"everybody\"\n",
            2,
            "node.signup",
            "found \"everybody\", expected one of \"open\", \"invite\", \"closed\"",
        ),
        ("[http]\nlisten = [\"home\"]\n", 2, "http.listen", "such as \"127.0.0.1:8440\""),
        ("[http]\ntrusted_proxies = \"10.0.0.0/40\"\n", 2, "http.trusted_proxies", "10.0.0.0/8"),
    ] {
        let error = File::new(text).load(&[]).unwrap_err();
        let told = error.to_string();
        let place = format!("node.toml, line {line}");
        assert!(
            told.contains(&place) && told.contains(key) && told.contains(wanted),
            "{text:?} gave: {told}"
        );
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let error = File::new("[node]\ntitle = \n").load(&[]).unwrap_err();
    assert!(matches!(&error, ConfigError::Syntax { place: Place::File { line: 2, .. }, .. }), "{error:?}");
}

#[test]
fn a_text_without_quotes_is_told_to_need_them() {
    for (text, wanted) in [("[node]\nsignup = invite\n", true), ("[node]\ntitle = \n", false)] {
        let told = File::new(text).load(&[]).unwrap_err().to_string();
        assert!(told.contains("line 2: this is not TOML"), "{told}");
        assert_eq!(told.contains("a text value stands in quotes"), wanted, "{told}");
    }
}

#[test]
fn what_steers_a_terminal_is_written_out_in_errors() {
    for text in [
        "[node]\n\"\\u001b[31m\" = 1\n",
        "[\"\\u001b]0;x\\u0007\"]\nx = 1\n",
        "[node]\nname = \"\\u001b]0;x\\u0007\"\n",
        "[node]\naccent = \"\\u001b[31m\"\n",
        "[node]\nsignup = \"\\u001b[31m\"\n",
        "[http]\nlisten = [\"\\u001b[31m\"]\n",
        "[http]\npublic_url = \"\\u001b[31m\"\n",
        "[node]\ntitle = \"\u{1b}[31m\"\n",
        "[node]\n\u{1b}[31m = 1\n",
    ] {
        let told = File::new(text).load(&[]).unwrap_err().to_string();
        assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    }
    let told = File::new("[node]\n\"\\u001b[31m\" = 1\n").load(&[]).unwrap_err().to_string();
    assert!(told.contains("\\u{1b}[31m"), "{told}");
}

#[test]
fn a_file_without_an_end_is_not_read_to_it() {
    let error = Config::load(Some(&PathBuf::from("/dev/zero")), []).unwrap_err();
    let ConfigError::Read { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), std::io::ErrorKind::FileTooLarge);
}

#[test]
fn a_missing_file_is_told() {
    let error = Config::load(Some(&PathBuf::from("/nowhere/node.toml")), []).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }));
}

#[test]
fn variables_override_the_file() {
    let file =
        File::new("[node]\ntitle = \"File\"\nsignup = \"closed\"\n[http]\nlisten = [\"127.0.0.1:1\"]\n");
    let config = file
        .load(&[
            ("WEFT_NODE__TITLE", "Variable"),
            ("WEFT_HTTP__LISTEN", "127.0.0.1:2"),
            ("WEFT_LOG__FORMAT", "json"),
            ("WEFT_HTTP__TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"::1\"]"),
            ("WEFT_BIN", "not a key of the configuration"),
            ("PATH", "/bin"),
        ])
        .unwrap();
    assert_eq!(config.node.title, "Variable");
    assert_eq!(config.node.signup, SignupPolicy::Closed);
    assert_eq!(config.http.listen, ["127.0.0.1:2".parse().unwrap()]);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let file = File::new("");
    for (name, value, wanted) in [
        ("WEFT_STORAGE__CACHE_MIB", "much", "a whole number from 1 to 65536"),
        ("WEFT_STORAGE__CACHE_MIB", "0", "a whole number from 1 to 65536"),
        ("WEFT_STORAGE__DATA", "", "the path of a folder"),
        ("WEFT_HTTP__ORIGINS", "home.example", "such as \"http://localhost:5173\""),
        ("WEFT_HTTP__LISTN", "127.0.0.1:1", "did you mean `listen`"),
    ] {
        let told = file.load(&[(name, value)]).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains(wanted), "{name} gave: {told}");
    }
}

#[test]
fn plain_http_on_a_public_address_must_be_said_twice() {
    let public = "[http]\nlisten = [\"0.0.0.0:8440\"]\n";
    let once = "[http]\nlisten = [\"0.0.0.0:8440\"]\nplain_on_public_address = true\n";
    let other = "[http]\nlisten = [\"0.0.0.0:8440\"]\n[tls]\noff_on_public_address = true\n";
    for text in [public, once, other] {
        let told = File::new(text).load(&[]).unwrap_err().to_string();
        assert!(told.contains("http.plain_on_public_address = true"), "{told}");
        assert!(told.contains("tls.off_on_public_address = true"), "{told}");
        assert!(told.contains("0.0.0.0:8440"), "{told}");
    }
    let twice = format!("{once}[tls]\noff_on_public_address = true\n");
    assert_eq!(File::new(&twice).load(&[]).unwrap().tls.mode, TlsMode::Off);
}

#[test]
fn a_number_out_of_bounds_is_told_with_file_line_and_bounds() {
    let written: toml::Table = toml::from_str(&fs::read_to_string(shipped()).unwrap()).unwrap();
    let mut numbers = 0;
    for (section, keys) in &written {
        let whole = keys.as_table().unwrap().iter().filter(|(_, value)| value.is_integer());
        for (key, default) in whole {
            let range = range_of(&format!("{section}.{key}")).unwrap();
            let (low, high) = (*range.start(), *range.end());
            let load =
                |number: u64| File::new(&format!("# first\n[{section}]\n{key} = {number}\n")).load(&[]);
            assert!(load(low).is_ok() && load(high).is_ok(), "{section}.{key}");
            assert!(range.contains(&u64::try_from(default.as_integer().unwrap()).unwrap()));
            for beyond in [low.checked_sub(1), Some(high + 1), Some(i64::MAX.cast_unsigned())] {
                let Some(beyond) = beyond else { continue };
                let told = load(beyond).unwrap_err().to_string();
                let wanted = format!(
                    "line 3: `{section}.{key}`: found `{beyond}`, expected a whole number from {low} to {high}"
                );
                assert!(told.contains(&wanted), "{told}");
                numbers += 1;
            }
        }
    }
    assert!(numbers > 30, "{numbers}");
}

#[test]
fn a_value_that_its_section_refuses_is_told_with_file_and_line() {
    for (text, line, wanted) in [
        ("[storage]\ndata = \"\"\n", 2, "`storage.data`: found nothing"),
        ("[node]\n\naccent = \"teal\"\n", 3, "`node.accent`: found \"teal\", expected a colour"),
        (
            "[http]\norigins = [\"http://ok\", \"http://not/ok\"]\n",
            2,
            "`http.origins`: found \"http://not/ok\"",
        ),
        ("[http]\npublic_url = \"https://\"\n", 2, "`http.public_url`: found \"https://\""),
        ("[limits]\nrate_multiplier = 0.001\n", 2, "`limits.rate_multiplier`: found `0.001`, expected 0, or"),
    ] {
        let told = File::new(text).load(&[]).unwrap_err().to_string();
        assert!(told.contains(&format!("node.toml, line {line}: {wanted}")), "{text:?} gave: {told}");
    }
    let slash = File::new("[http]\npublic_url = \"https://home.example/\"\n").load(&[]).unwrap();
    assert_eq!(slash.http.public_url, "https://home.example/");
}

#[test]
fn a_variable_that_is_spelt_nearly_like_a_key_stops_the_start() {
    let file = File::new("");
    for (name, meant) in [
        ("WEFT_STORAGE_DATA", "WEFT_STORAGE__DATA"),
        ("WEFT_HTTP_LISTEN", "WEFT_HTTP__LISTEN"),
        ("WEFT_LIMITS_RATE_MULTIPLIER", "WEFT_LIMITS__RATE_MULTIPLIER"),
        ("WEFT_STORGE_DATA", "WEFT_STORAGE__DATA"),
        ("WEFT_STORAGEDATA", "WEFT_STORAGE__DATA"),
    ] {
        let error = file.load(&[(name, "x")]).unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, ConfigError::UnknownVariable { .. }), "{told}");
        assert!(
            told.contains(&format!("{name}:")) && told.contains(&format!("did you mean `{meant}`?")),
            "{told}"
        );
    }
    let told = file.load(&[("WEFT_TLS_SOMETHING_ELSE", "x")]).unwrap_err().to_string();
    assert!(told.contains("Two underscores") && !told.contains("did you mean"), "{told}");
    let others = [
        ("WEFT_BIN", "x"),
        ("WEFT_SEED", "1"),
        ("WEFT_NODE", "x"),
        ("WEFT_BENCH_DIR", "x"),
        ("STORAGE_DATA", "x"),
    ];
    assert_eq!(file.load(&others).unwrap(), Config::default());
}

#[test]
fn a_variable_that_is_not_text_is_told_if_it_is_ours() {
    let latin = || OsString::from_vec(b"caf\xe9".to_vec());
    let load = |name: OsString| Config::load(None, [(name, latin())]);
    for foreign in ["LS_COLORS".into(), "WEFT_BIN".into(), latin()] {
        assert_eq!(load(foreign).unwrap(), Config::default());
    }
    let told = load("WEFT_STORAGE__DATA".into()).unwrap_err().to_string();
    assert!(told.contains("the variable WEFT_STORAGE__DATA") && told.contains("UTF-8"), "{told}");
}

#[test]
fn rules_between_keys_are_told() {
    for (text, wanted) in [
        ("[tls]\nmode = \"files\"\n", "tls.certificate"),
        ("[tls]\nmode = \"acme\"\n", "tls.acme_domains"),
        ("[node]\naccent = \"teal\"\n", "node.accent"),
        ("[node]\nname = \"not a name\"\n", "node.name"),
        ("[http]\nlisten = []\n", "http.listen"),
        ("[http]\npublic_url = \"home.example\"\n", "http.public_url"),
        ("[limits]\nrate_multiplier = -1.0\n", "limits.rate_multiplier"),
    ] {
        let told = File::new(text).load(&[]).unwrap_err().to_string();
        assert!(told.contains(wanted), "{text:?} gave: {told}");
    }
}

/// What `weft run` would refuse, and which of the values it is.
#[test]
fn wrong_addresses_of_other_nodes_are_told_with_key_and_value() {
    let key = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
    for (line, wanted) in [
        ("listen = \"8441\"", ["`federation.listen`", "\"8441\""]),
        (
            "listen = [\"/ip4/0.0.0.0/tcp/0\", \"/dns/a.example/tcp/1\"]",
            ["`federation.listen`", "not a name"],
        ),
        ("external = \"home.example:8441\"", ["`federation.external`", "/dns/home.example/tcp/8441"]),
        ("relays = \"/dns/a.example/tcp/1\"", ["`federation.relays`", "/p2p/PEER-ID"]),
        ("first_contacts = \"nonsense\"", ["`federation.first_contacts`", "\"nonsense\""]),
        ("external = \"/ip4/0.0.0.0/tcp/8441\"", ["`federation.external`", "0.0.0.0 and :: stand for"]),
        ("external = \"/ip4/9.9.9.9/tcp/0\"", ["`federation.external`", "port 0 cannot be called"]),
        ("external = \"/dns//tcp/8441\"", ["`federation.external`", "no name of DNS"]),
        ("blocked = [\"127.0.0.1\"]", ["`federation.blocked`", "\"127.0.0.1\" is an address"]),
        ("blocked = [\"12D3KooWbad\"]", ["`federation.blocked`", "looks like a peer id"]),
    ] {
        let told = File::new(&format!("[federation]\n{line}\n")).load(&[]).unwrap_err().to_string();
        assert!(wanted.iter().all(|part| told.contains(part)), "{line} gave: {told}");
        assert!(told.contains("node.toml, line 2"), "{told}");
    }
    let fine = format!(
        "[federation]\nlisten = []\nexternal = \"/dns/a.example/tcp/1\"\nrelays = \"/ip4/9.9.9.9/tcp/1/p2p/{key}\"\n"
    );
    File::new(&fine).load(&[]).unwrap();
}

#[test]
fn entries_for_other_nodes_that_make_no_sense_are_told_by_name() {
    let key = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
    let other = "12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE";
    let entry = |name: &str, key: &str| format!("[[federation.peers]]\nname = \"{name}\"\nkey = \"{key}\"\n");
    let own = "[node]\nname = \"home.example\"\n";
    for (text, wanted) in [
        (format!("{own}{}", entry("home.example", key)), ["home.example", "this node itself"]),
        (entry("a.example", key) + &entry("A.example", other), ["A.example", "twice"]),
        (entry("a.example", key) + &entry("b.example", key), ["b.example", "same key"]),
        (entry("a.example", key) + "addresses = \"nowhere\"\n", ["a.example", "\"nowhere\""]),
        (
            entry("a.example", key) + "addresses = [\"nowhere\"]\n",
            ["\"nowhere\"", "/dns/home.example/tcp/8441"],
        ),
        (
            entry("a.example", key) + &format!("addresses = [\"/ip4/9.9.9.9/tcp/1/p2p/{other}\"]\n"),
            ["a.example", "another peer's"],
        ),
        (entry("127.0.0.1", key), ["127.0.0.1", "is an address"]),
        (entry("12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2X", key), ["looks like a peer id", "none"]),
        (entry("a.example", key) + "addresses = \"/ip4/9.9.9.9/tcp/0\"\n", ["a.example", "port 0"]),
        (
            format!("[federation]\nblocked = \"a.example\"\n{}", entry("a.example", key)),
            ["a.example", "blocked"],
        ),
        (format!("[federation]\nblocked = \"{key}\"\n{}", entry("a.example", key)), ["a.example", "blocked"]),
    ] {
        let told = File::new(&text).load(&[]).unwrap_err().to_string();
        assert!(
            told.contains("`federation.peers") && wanted.iter().all(|part| told.contains(part)),
            "{text}: {told}"
        );
    }
    File::new(&(own.to_owned() + &entry("a.example", key) + &entry("b.example", other))).load(&[]).unwrap();
}

#[test]
fn what_the_readme_shows_is_a_node_for_others() {
    let readme = fs::read_to_string(shipped().with_file_name("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let config = File::new(block).load(&[]).unwrap();
    assert_eq!(config.node.name, "home.example");
    assert_eq!(config.tls.mode, TlsMode::Acme);
    assert_eq!(weft_node::configured_url(&config), "https://home.example");
}

/// `weft config` on a file, with nothing in the environment that it would read: whether it is content, and all it says.
fn weft_config(text: &str) -> (Option<i32>, String) {
    let file = File::new(text);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_weft"));
    command.args(["config", "--config"]).arg(file.path()).current_dir(file.0.path()).env_clear();
    let output = command.output().unwrap();
    assert_eq!(fs::read_dir(file.0.path()).unwrap().count(), 1, "nothing is made by looking");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_command_says_what_a_configuration_comes_to() {
    let (code, said) = weft_config("");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("node.name is not set") && said.contains("opens on this machine only"), "{said}");
    let ready = "[node]\nname = \"home.example\"\n[http]\npublic_url = \"https://home.example\"\n";
    let (code, said) = weft_config(ready);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("alice@home.example") && !said.contains("not set"), "{said}");
    let (_, said) = weft_config(&ready.replace("https://", "http://"));
    assert!(said.contains("over plain http browsers do not run"), "{said}");
    let (code, said) = weft_config("[node]\nnmae = \"home.example\"\n");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("node.toml, line 2") && said.contains("did you mean `name`"), "{said}");
}
