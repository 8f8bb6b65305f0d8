//! The data folder in the hands of an operator: who may look into it, what may be missing from it, and what is said then.

use anyhow::Result;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use weft_store::{Batch, embedded, tables};
use weft_testkit::{Cast, NodeProcess};

const BINARY: &str = env!("CARGO_BIN_EXE_weft");

async fn refused(node: &NodeProcess, arguments: &[&str]) -> String {
    node.command(arguments).await.unwrap_err().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Files and folders that others may do something with.
fn exposed(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if fs::metadata(&path).unwrap().permissions().mode() & 0o077 != 0 {
            found.push(path);
        }
    }
    found
}

fn open_folder(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn index_folder(data: &Path) -> PathBuf {
    let mut entries = fs::read_dir(data.join("store")).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("index-")).unwrap()
}

#[tokio::test]
async fn nobody_else_may_look_into_data_and_backups_even_if_the_folders_were_open() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert_eq!(exposed(&node.data()), [] as [PathBuf; 0]);
    assert!(node.terminate().await?.success());
    // As an earlier version, a copy by hand or an unpacked archive may have left it.
    for path in ["", "store", "store/journal", "store/journal/0000000000000001.journal", "node.key"] {
        fs::set_permissions(node.data().join(path), Permissions::from_mode(0o755))?;
    }
    node.start_again().await?;
    assert_eq!(exposed(&node.data()), [] as [PathBuf; 0]);
    let backup = node.data().with_file_name("backup");
    open_folder(&backup);
    node.command(&["backup", text(&backup)]).await?;
    assert!(node.terminate().await?.success());
    assert_eq!(exposed(&backup), [] as [PathBuf; 0]);
    fs::remove_dir_all(node.data())?;
    open_folder(&node.data());
    node.command(&["restore", text(&backup)]).await?;
    assert_eq!(exposed(&node.data()), [] as [PathBuf; 0]);
    assert!(node.command(&["check"]).await?.contains("all is well"));
    Ok(())
}

#[tokio::test]
async fn a_folder_that_holds_other_things_is_not_taken_for_data_nor_closed() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    fs::remove_dir_all(node.data())?;
    open_folder(&node.data());
    // Nor does a folder of an ordinary name make it one of ours.
    for other in ["letter", "store/shelf"] {
        let other = node.data().join(other);
        fs::create_dir_all(other.parent().unwrap())?;
        fs::write(other, "x")?;
        let said = node.start_again().await.unwrap_err().to_string();
        assert!(said.contains("holds other things") && said.contains("chmod 700"), "{said}");
        assert_eq!(fs::metadata(node.data())?.permissions().mode() & 0o777, 0o755);
    }
    Ok(())
}

#[tokio::test]
async fn the_name_may_change_until_somebody_has_signed_up() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    node.set("WEFT_NODE__NAME", "home.example");
    node.start_again().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    assert_eq!(alice.address, "alice@home.example");
    drop(alice);
    assert!(node.terminate().await?.success());
    for other in ["other.example", ""] {
        node.set("WEFT_NODE__NAME", other);
        let said = node.start_again().await.unwrap_err().to_string();
        assert!(said.contains("NAME@home.example") && said.contains("cannot change"), "{said}");
    }
    node.set("WEFT_NODE__NAME", "home.example");
    node.start_again().await
}

#[tokio::test]
async fn a_backup_inside_the_data_is_refused() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    for inside in ["store/backup", "backup", "store", "../data/x"] {
        let said = refused(&node, &["backup", text(&node.data().join(inside))]).await;
        assert!(said.contains("lies inside"), "{said}");
    }
    assert!(!node.data().join("backup").exists() && !node.data().join("store/backup").exists());
    let backup = node.data().with_file_name("backup");
    node.command(&["backup", text(&backup)]).await?;
    assert!(node.terminate().await?.success());
    fs::rename(node.data(), node.data().with_file_name("old"))?;
    std::os::unix::fs::symlink(&backup, node.data())?;
    let said = refused(&node, &["restore", text(&backup)]).await;
    assert!(said.contains("lies inside"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_deleted_index_is_rebuilt_and_the_node_stops_in_good_order() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let _alice = node.sign_up(Cast::Alice).await?;
    for _ in 0..2 {
        assert!(node.terminate().await?.success(), "{}", node.log());
        fs::remove_dir_all(index_folder(&node.data()))?;
        node.start_again().await?;
        assert!(node.command(&["user", "list"]).await?.contains("alice"));
    }
    assert!(node.terminate().await?.success(), "{}", node.log());
    let checked = node.command(&["check"]).await?;
    assert!(checked.contains("index: as the journal says") && checked.contains("all is well"), "{checked}");
    Ok(())
}

#[tokio::test]
async fn check_where_no_node_is_says_so() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    for there in [false, true] {
        fs::remove_dir_all(node.data()).or_else(|error| if there { Err(error) } else { Ok(()) }).ok();
        if there {
            open_folder(&node.data());
        }
        let said = refused(&node, &["check"]).await;
        assert!(said.contains("there is no node in") && said.contains(text(&node.data())), "{said}");
        assert_eq!(node.data().exists(), there, "check leaves nothing behind");
    }
    Ok(())
}

#[tokio::test]
async fn data_that_was_lost_is_never_replaced_by_a_new_beginning() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let _alice = node.sign_up(Cast::Alice).await?;
    assert!(node.terminate().await?.success());
    let (store, aside) = (node.data().join("store"), node.data().with_file_name("aside"));

    // The whole store is gone, and then all but an empty journal.
    fs::rename(&store, &aside)?;
    for make in [false, true] {
        if make {
            fs::create_dir_all(store.join("journal"))?;
            fs::write(store.join("journal/0000000000000001.journal"), [0; 512])?;
        }
        for command in [&["user", "list"][..], &["check"], &["run"]] {
            let said = refused(&node, command).await;
            let clear = said.contains("missing or empty") && said.contains("weft restore");
            // `check` sees a store in which nothing ever was.
            assert!(
                clear || (make && command == ["check"] && said.contains("no store")),
                "{command:?}: {said}"
            );
        }
        assert!(refused(&node, &["init"]).await.contains("already"));
    }
    fs::remove_dir_all(&store)?;
    fs::rename(&aside, &store)?;

    // The key is gone: another must not take its place.
    let (key, kept) = (node.data().join("node.key"), node.data().with_file_name("kept.key"));
    fs::rename(&key, &kept)?;
    for command in [&["init"][..], &["check"], &["run"]] {
        let said = refused(&node, command).await;
        assert!(said.contains("node.key is missing"), "{command:?}: {said}");
    }
    assert!(!key.exists());

    // A journal without a head, and nothing else that tells of it.
    fs::rename(&kept, &key)?;
    fs::remove_dir_all(index_folder(&node.data()))?;
    fs::remove_file(store.join("checkpoint"))?;
    let segment = store.join("journal/0000000000000001.journal");
    let mut bytes = fs::read(&segment)?;
    bytes[20] ^= 1;
    fs::write(&segment, &bytes)?;
    let said = refused(&node, &["run"]).await;
    assert!(said.contains("damaged") && said.contains("weft restore"), "{said}");

    bytes[20] ^= 1;
    fs::write(&segment, &bytes)?;
    node.start_again().await?;
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    Ok(())
}

/// A first start that ends at any moment leaves a folder on which the next one begins again, or goes on.
#[tokio::test]
async fn a_first_start_that_was_cut_short_is_taken_up_again() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    let key = node.data().join("node.key");
    let begun = node.data().join("node.key.new");
    let first = fs::read(&key)?;
    // After the first commit, before the key got its name.
    fs::rename(&key, &begun)?;
    assert!(refused(&node, &["invite"]).await.contains("no node"));
    node.start_again().await?;
    assert_eq!((fs::read(&key)?, begun.exists()), (first.clone(), false));
    assert!(node.terminate().await?.success());
    // Before the first commit.
    fs::rename(&key, &begun)?;
    fs::remove_dir_all(node.data().join("store"))?;
    node.start_again().await?;
    assert_eq!(fs::read(&key)?, first);
    assert!(node.terminate().await?.success());
    // While the key was written.
    fs::remove_file(&key)?;
    fs::remove_dir_all(node.data().join("store"))?;
    fs::write(&begun, b"hal")?;
    fs::set_permissions(&begun, Permissions::from_mode(0o600))?;
    node.start_again().await?;
    assert_eq!(fs::read(&key)?.len(), 32);
    Ok(())
}

/// A file system that is soon full; unmounted when the test ends.
struct Small(tempfile::TempDir);

impl Small {
    /// None where this user may not mount one.
    fn mount() -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=160m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Small(folder))
    }

    fn fill(&self) {
        use std::io::Write;
        let mut file = fs::File::create(self.0.path().join("filler")).unwrap();
        let mut len = 1 << 20;
        while len > 0 {
            if file.write_all(&vec![1; len]).is_err() {
                len /= 2;
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

/// `src/store/tests/disk_full.rs` has the details; here is what the operator reads.
#[tokio::test]
async fn a_full_disk_is_told_and_harms_nothing() -> Result<()> {
    let Some(small) = Small::mount() else {
        println!("skipped: this user may not mount a tmpfs");
        return Ok(());
    };
    let data = small.0.path().join("data");
    let config = [("WEFT_STORAGE__DATA", text(&data)), ("WEFT_STORAGE__MIN_FREE_MIB", "64")];
    let mut node = NodeProcess::start(BINARY, &config).await?;
    let _alice = node.sign_up(Cast::Alice).await?;
    assert!(node.terminate().await?.success());
    small.fill();
    let said = refused(&node, &["check"]).await;
    assert!(said.contains("the disk is full"), "{said}");
    if let Err(error) = node.start_again().await {
        assert!(error.to_string().contains("the disk is full"), "{error}");
    } else {
        node.terminate().await?;
    }
    fs::remove_file(small.0.path().join("filler"))?;
    node.start_again().await?;
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    assert!(node.terminate().await?.success());
    assert!(node.command(&["check"]).await?.contains("all is well"));
    fs::remove_dir_all(&data)?;
    small.fill();
    let said = node.start_again().await.unwrap_err().to_string();
    assert!(said.contains("full") || said.contains("No space left"), "{said}");
    fs::remove_file(small.0.path().join("filler"))?;
    node.start_again().await?;
    assert!(node.terminate().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_mistake_in_the_configuration_stops_every_command_with_status_2() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, value, wanted) in [
        ("WEFT_STORAGE__SEGMENT_MIB", "0", "a whole number from 1 to 1024"),
        ("WEFT_HTTP__REQUEST_TIMEOUT_S", "18446744073709551615", "a whole number from 1 to 3600"),
        ("WEFT_STORAGE_DATA", "x", "did you mean `WEFT_STORAGE__DATA`?"),
    ] {
        for command in ["run", "check", "invite"] {
            let output = tokio::process::Command::new(BINARY)
                .arg(command)
                .current_dir(folder.path())
                .env(name, value)
                .output()
                .await?;
            let said = String::from_utf8(output.stderr)?;
            assert!(output.status.code() == Some(2) && said.contains(wanted), "{name}: {said}");
        }
    }
    for (roots, wanted) in [
        ("/dev/zero", "`tls.acme_roots`: /dev/zero cannot be read: it has more than"),
        ("/dev/null", "`tls.acme_roots`: /dev/null: holds no certificate"),
        ("/nowhere\u{1b}", "`tls.acme_roots`: /nowhere\\u{1b} cannot be read"),
    ] {
        let output = tokio::process::Command::new(BINARY)
            .arg("config")
            .current_dir(folder.path())
            .env("WEFT_TLS__MODE", "acme")
            .env("WEFT_TLS__ACME_DOMAINS", "home.example")
            .env("WEFT_TLS__ACME_ROOTS", roots)
            .output()
            .await?;
        let said = String::from_utf8(output.stderr)?;
        assert!(output.status.code() == Some(2) && said.contains(wanted), "{roots}: {said}");
    }
    let latin: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9");
    let mut command = tokio::process::Command::new(BINARY);
    let output = command.arg("check").current_dir(folder.path()).env("UNRELATED", latin).output().await?;
    assert!(String::from_utf8(output.stderr)?.contains("there is no node in"));
    Ok(())
}

#[tokio::test]
async fn a_node_works_at_the_edges_of_what_may_be_configured() -> Result<()> {
    let small = [("WEFT_STORAGE__CACHE_MIB", "1"), ("WEFT_STORAGE__SEGMENT_MIB", "1")];
    let large = [
        ("WEFT_STORAGE__CACHE_MIB", "65536"),
        ("WEFT_STORAGE__SEGMENT_MIB", "1024"),
        ("WEFT_STORAGE__RETENTION_DAYS", "3650"),
        ("WEFT_HTTP__CONNECTIONS_MAX", "1000000"),
        ("WEFT_HTTP__REQUEST_TIMEOUT_S", "3600"),
        ("WEFT_SOCKET__IDLE_TIMEOUT_S", "86400"),
    ];
    for variables in [&small[..], &large[..]] {
        let mut node = NodeProcess::start(BINARY, variables).await?;
        let _alice = node.sign_up(Cast::Alice).await?;
        assert!(node.terminate().await?.success());
    }
    Ok(())
}

/// A node that has stopped and lost its data, and the backup of it.
async fn lost_with_backup() -> Result<(NodeProcess, PathBuf)> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let _alice = node.sign_up(Cast::Alice).await?;
    let backup = node.data().with_file_name("backup");
    node.command(&["backup", text(&backup)]).await?;
    assert!(node.terminate().await?.success());
    fs::remove_dir_all(node.data())?;
    Ok((node, backup))
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Whoever opens it waits for somebody who writes.
fn make_pipe(path: &Path) -> Result<()> {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    Ok(rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)?)
}

fn journal_of(backup: &Path) -> PathBuf {
    let mut files = fs::read_dir(backup.join("store/journal")).unwrap();
    files.next().unwrap().unwrap().path()
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_leaves_nothing_behind() -> Result<()> {
    let (mut node, backup) = lost_with_backup().await?;
    let key = backup.join("node.key");
    let restore = ["restore", text(&backup)];
    for (file, wanted) in [(key.clone(), "another key"), (journal_of(&backup), "not as it was backed up")] {
        flip(&file);
        for is_there in [false, true] {
            if is_there {
                open_folder(&node.data());
            }
            let said = refused(&node, &restore).await;
            assert!(said.contains(wanted) && said.contains("take another copy"), "{said}");
            assert_eq!(node.data().exists(), is_there);
            assert!(!is_there || fs::read_dir(node.data())?.next().is_none(), "{:?}", node.data());
        }
        fs::remove_dir(node.data())?;
        flip(&file);
    }
    let journal = journal_of(&backup);
    let whole = fs::read(&journal)?;
    fs::write(&journal, &whole[..whole.len() - 1])?;
    let said = refused(&node, &restore).await;
    assert!(said.contains(text(&journal)) && said.contains("shorter than it was backed up"), "{said}");
    fs::write(&journal, &whole)?;
    let short = fs::read(&key)?;
    fs::write(&key, &short[..31])?;
    assert!(refused(&node, &restore).await.contains("not thirty-two bytes"));
    fs::write(&key, &short)?;
    let said = node.command(&restore).await?;
    assert!(said.contains("the node is 12D3KooW") && !said.contains("earlier"), "{said}");

    // One that does not say whose it is, as they were before.
    fs::remove_dir_all(node.data())?;
    let manifest = backup.join("store/weft-backup.txt");
    let now = fs::read_to_string(&manifest)?;
    let (body, _) = now.rsplit_once("end ").unwrap();
    let before = body.lines().filter(|line| !line.starts_with("of "));
    let before: String = before.map(|line| line.replace("weft-backup 2", "weft-backup 1") + "\n").collect();
    fs::write(&manifest, format!("{before}end {}\n", blake3::hash(before.as_bytes())))?;
    let said = node.command(&restore).await?;
    assert!(said.contains("of an earlier version") && said.contains("12D3KooW"), "{said}");
    node.start_again().await?;
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    Ok(())
}

/// What `weft check` finds, and its exit code.
async fn checked(node: &NodeProcess) -> Result<(Option<i32>, String)> {
    let mut check = tokio::process::Command::new(BINARY);
    let output = check.arg("check").env("WEFT_STORAGE__DATA", node.data()).output().await?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

#[tokio::test]
async fn a_key_that_is_not_the_one_of_the_data_is_told() -> Result<()> {
    for name in ["", "home.example"] {
        let mut node = NodeProcess::start(BINARY, &[("WEFT_NODE__NAME", name)]).await?;
        assert!(node.terminate().await?.success());
        let (key, store) = (node.data().join("node.key"), node.data().join("store"));
        let is_told = async || -> Result<()> {
            flip(&key);
            let mut run = tokio::process::Command::new(BINARY);
            run.arg("run").env("WEFT_STORAGE__DATA", node.data()).env("WEFT_NODE__NAME", name);
            let output = run.env("WEFT_HTTP__LISTEN", "127.0.0.1:0").kill_on_drop(true).output();
            let output = weft_testkit::within("the refusal", output).await?;
            let said = String::from_utf8(output.stderr)?;
            assert!(said.contains("node.key is not the key of this store"), "{said}");
            assert!(said.contains("from a backup") && !said.contains("[node]"), "{said}");
            assert!(refused(&node, &["invite"]).await.contains("is not the key of this store"));
            let (code, said) = checked(&node).await?;
            assert!(code == Some(3) && said.contains("damaged: ") && said.contains("node.key"), "{said}");
            flip(&key);
            Ok(())
        };
        is_told().await?;
        // As a store of before, which does not know its key; but it knows a name that is one.
        let opened = embedded::open(&store, embedded::Options::default())?;
        let kept = opened.get(tables::NODE, b"key").await?.unwrap();
        opened.commit(Batch::new().delete(tables::NODE, b"key")).await?;
        opened.close().await?;
        drop(opened);
        if name.is_empty() {
            is_told().await?;
        }
        node.start_again().await?;
        assert!(node.terminate().await?.success());
        assert_eq!(checked(&node).await?.0, Some(0));
        let opened = embedded::open(&store, embedded::Options::default())?;
        assert_eq!(opened.get(tables::NODE, b"key").await?.unwrap().value, kept.value);
        opened.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_file_is_no_key_and_keeps_nobody_waiting() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    let key = node.data().join("node.key");
    fs::rename(&key, key.with_file_name("kept"))?;
    for is_pipe in [false, true] {
        if is_pipe {
            fs::remove_dir(&key)?;
            make_pipe(&key)?;
        } else {
            fs::create_dir(&key)?;
            fs::set_permissions(&key, Permissions::from_mode(0o700))?;
        }
        for command in ["run", "check", "invite"] {
            let said = weft_testkit::within(command, refused(&node, &[command])).await;
            assert!(said.contains("not a key, which is a file"), "{command}: {said}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_restore_that_is_cut_off_is_no_node_and_is_done_again() -> Result<()> {
    let (mut node, backup) = lost_with_backup().await?;
    let restore = ["restore", text(&backup)];
    // It waits for a file of the backup that does not come, and is killed there.
    let (journal, aside) = (journal_of(&backup), backup.with_file_name("aside"));
    fs::rename(&journal, &aside)?;
    make_pipe(&journal)?;
    let mut restoring = tokio::process::Command::new(BINARY)
        .args(restore)
        .env("WEFT_STORAGE__DATA", node.data())
        .current_dir(node.data().parent().unwrap())
        .kill_on_drop(true)
        .spawn()?;
    weft_testkit::within("the restore has begun", async {
        let mut look = tokio::time::interval(std::time::Duration::from_millis(5));
        while !node.data().join("store.restoring/journal").is_dir() {
            look.tick().await;
        }
    })
    .await;
    restoring.start_kill()?;
    restoring.wait().await?;
    fs::rename(&aside, &journal)?;

    let (part, store) = (node.data().join("store.restoring"), node.data().join("store"));
    for has_key in [false, true] {
        if has_key {
            // Cut off at its very end, between its last two steps.
            fs::rename(&store, &part)?;
        }
        assert_eq!(node.data().join("node.key").exists(), has_key);
        let said = node.start_again().await.unwrap_err().to_string();
        assert!(said.contains("a restore was cut off") && said.contains("weft restore"), "{said}");
        assert!(!store.exists() && part.exists(), "nothing was begun instead");
        node.command(&restore).await?;
        assert!(!part.exists() && node.command(&["check"]).await?.contains("all is well"));
    }
    assert!(refused(&node, &restore).await.contains("not empty"));
    node.start_again().await?;
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    Ok(())
}

#[tokio::test]
async fn a_command_waits_for_a_node_that_is_just_starting() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    assert!(node.terminate().await?.success());
    // What a start holds before it answers.
    let store = embedded::open(&node.data().join("store"), embedded::Options::default())?;
    let mut invite = tokio::process::Command::new(BINARY)
        .arg("invite")
        .env("WEFT_STORAGE__DATA", node.data())
        .current_dir(node.data().parent().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = BufReader::new(invite.stderr.take().unwrap()).lines();
    let line = weft_testkit::within("it says that it waits", said.next_line()).await?.unwrap();
    assert!(line.contains("the node is starting") && line.contains("waiting"), "{line}");
    store.close().await?;
    drop(store);
    let output = weft_testkit::within("the invite", invite.wait_with_output()).await?;
    assert!(output.status.success() && String::from_utf8(output.stdout)?.contains("http://"));
    Ok(())
}
