//! A disk that keeps exactly what POSIX promises and nothing more, and an index that does likewise.
//!
//! Until a file is synced, each sector of each write to it may or may not survive a power cut, in any order; until a folder is
//! synced, each name that was made, moved or removed in it may or may not. A sync may fail, after which some of what it should
//! have written is lost although the cache still shows it. The disk may fill up. The current may fail at any operation.

use std::{
    any::Any,
    collections::BTreeMap,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use weft_store::embedded::{Change, Disk, DiskFile, Index, IndexError, OpenIndex};

use super::Seeded;

const SECTOR: usize = 512;

#[derive(Clone)]
enum Pending {
    Sector { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Default, Clone)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Naming {
    Is(PathBuf, usize),
    Gone(PathBuf),
    Moved(PathBuf, PathBuf, usize),
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

struct World {
    seeded: Seeded,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    naming: Vec<Naming>,
    /// Operations until the current fails.
    current_for: Option<u64>,
    off: bool,
    /// Syncs of files until one fails.
    syncs_until_failure: Option<u64>,
    capacity: u64,
    held: bool,
    blocked: bool,
    /// Generation folder to durable and current rows.
    indexes: BTreeMap<PathBuf, (Rows, Rows)>,
}

#[derive(Clone)]
pub struct SimDisk(Arc<(Mutex<World>, Condvar)>);

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        let world = World {
            seeded: Seeded(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            naming: Vec::new(),
            current_for: None,
            off: false,
            syncs_until_failure: None,
            capacity: u64::MAX,
            held: false,
            blocked: false,
            indexes: BTreeMap::new(),
        };
        SimDisk(Arc::new((Mutex::new(world), Condvar::new())))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.0.lock().unwrap()
    }

    pub fn cut_after(&self, operations: Option<u64>) {
        self.world().current_for = operations;
    }

    pub fn fail_sync_after(&self, syncs: Option<u64>) {
        self.world().syncs_until_failure = syncs;
    }

    pub fn set_capacity(&self, bytes: u64) {
        self.world().capacity = bytes;
    }

    pub fn used(&self) -> u64 {
        self.world().used()
    }

    /// Rows vanish from the newest index below `dir`, on disk too, and nobody is told.
    pub fn lose_rows(&self, dir: &Path, rows: usize) {
        let mut world = self.world();
        let (_, (durable, current)) =
            world.indexes.iter_mut().rfind(|(path, _)| path.parent() == Some(dir)).unwrap();
        let keys: Vec<_> = current.keys().filter(|key| key[0] >= 8).take(rows).cloned().collect();
        for key in keys {
            durable.remove(&key);
            current.remove(&key);
        }
    }

    pub fn is_off(&self) -> bool {
        self.world().off
    }

    /// The next write waits until [`SimDisk::release`].
    pub fn hold(&self) {
        let mut world = self.world();
        world.held = true;
        world.blocked = false;
    }

    /// Waits until somebody waits in a write (or the current is off).
    pub fn wait_blocked(&self) {
        let mut world = self.world();
        while !world.blocked && !world.off {
            // The current may fail in an operation that wakes nobody.
            world = self.0.1.wait_timeout(world, std::time::Duration::from_millis(5)).unwrap().0;
        }
    }

    pub fn release(&self) {
        self.world().held = false;
        self.0.1.notify_all();
    }

    /// The current fails and comes back: only what is durable is left, and of the rest what chance kept.
    pub fn power_cut(&self) {
        let mut guard = self.world();
        let world = &mut *guard;
        let seeded = &mut world.seeded;
        // How much of what was not synced survives: from nothing to nearly everything.
        let luck = [0, 10, 50, 90, 100][seeded.below(5) as usize];
        for inode in &mut world.inodes {
            let mut pending = std::mem::take(&mut inode.pending);
            if seeded.chance(50) {
                for at in (1..pending.len()).rev() {
                    pending.swap(at, seeded.below(at as u64 + 1) as usize);
                }
            }
            for change in pending {
                if seeded.chance(luck) {
                    apply(&mut inode.durable, &change);
                }
            }
            inode.cached = inode.durable.clone();
        }
        for naming in std::mem::take(&mut world.naming) {
            if seeded.chance(luck) {
                name(&mut world.durable_names, &naming);
            }
        }
        world.names = world.durable_names.clone();
        for (durable, current) in world.indexes.values_mut() {
            let keys: Vec<Vec<u8>> = durable.keys().chain(current.keys()).cloned().collect();
            for key in keys {
                if seeded.chance(luck) {
                    match current.get(&key) {
                        Some(row) => durable.insert(key, row.clone()),
                        None => durable.remove(&key),
                    };
                }
            }
            *current = durable.clone();
        }
        if seeded.chance(10) {
            world.indexes.clear();
        }
        world.off = false;
        world.current_for = None;
        world.syncs_until_failure = None;
        world.capacity = u64::MAX;
        world.held = false;
    }
}

impl World {
    fn used(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[*inode].cached.len() as u64).sum()
    }

    /// Counts an operation. An error: the current is off.
    fn tick(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.current_for {
            match left.checked_sub(1) {
                Some(rest) => *left = rest,
                None => self.off = true,
            }
        }
        if self.off { Err(io::Error::other("no current")) } else { Ok(()) }
    }

    fn change(&mut self, inode: usize, change: Pending) {
        let inode = &mut self.inodes[inode];
        apply(&mut inode.cached, &change);
        inode.pending.push(change);
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Length(len) => bytes.resize(*len, 0),
        Pending::Sector { at, bytes: sector } => {
            let end = at + sector.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(sector);
        }
    }
}

fn name(names: &mut BTreeMap<PathBuf, usize>, naming: &Naming) {
    match naming {
        Naming::Is(path, inode) => {
            names.insert(path.clone(), *inode);
        }
        Naming::Gone(path) => {
            names.remove(path);
        }
        Naming::Moved(from, to, inode) => {
            names.remove(from);
            names.insert(to.clone(), *inode);
        }
    }
}

fn folder(naming: &Naming) -> Option<&Path> {
    match naming {
        Naming::Is(path, _) | Naming::Gone(path) | Naming::Moved(_, path, _) => path.parent(),
    }
}

struct SimFile {
    disk: SimDisk,
    inode: usize,
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.world();
        world.tick()?;
        let inode = *world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimFile { disk: self.clone(), inode }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.world();
        world.tick()?;
        let inode = match world.names.get(path) {
            Some(inode) => {
                let inode = *inode;
                world.change(inode, Pending::Length(0));
                inode
            }
            None => {
                world.inodes.push(Inode::default());
                world.inodes.len() - 1
            }
        };
        world.names.insert(path.to_owned(), inode);
        world.naming.push(Naming::Is(path.to_owned(), inode));
        Ok(Box::new(SimFile { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.tick()?;
        let inode = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), inode);
        world.naming.push(Naming::Moved(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.tick()?;
        world.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        world.naming.push(Naming::Gone(path.to_owned()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut world = self.world();
        world.tick()?;
        let inside = world.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.world().tick()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.tick()?;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            std::mem::take(&mut world.naming).into_iter().partition(|naming| folder(naming) == Some(dir));
        world.naming = elsewhere;
        for naming in &here {
            name(&mut world.durable_names, naming);
        }
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        let world = self.world();
        Ok(world.capacity.saturating_sub(world.used()))
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.world().tick()?;
        Ok(Box::new(()))
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        world.tick()?;
        let bytes = &world.inodes[self.inode].cached;
        let from = (offset as usize).min(bytes.len());
        let len = buf.len().min(bytes.len() - from);
        buf[..len].copy_from_slice(&bytes[from..from + len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        while world.held {
            world.blocked = true;
            self.disk.0.1.notify_all();
            world = self.disk.0.1.wait(world).unwrap();
        }
        let mut at = offset as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            // The current may fail between two sectors of one write.
            if at.is_multiple_of(16 * SECTOR) || rest.len() == bytes.len() {
                world.tick()?;
            }
            let len = rest.len().min(SECTOR - at % SECTOR);
            let grows = (at + len).saturating_sub(world.inodes[self.inode].cached.len()) as u64;
            if grows > 0 && world.used() + grows > world.capacity {
                return Err(io::ErrorKind::StorageFull.into());
            }
            world.change(self.inode, Pending::Sector { at, bytes: rest[..len].to_vec() });
            at += len;
            rest = &rest[len..];
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        world.tick()?;
        world.change(self.inode, Pending::Length(len as usize));
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        let mut world = self.disk.world();
        world.tick()?;
        Ok(world.inodes[self.inode].cached.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut guard = self.disk.world();
        let world = &mut *guard;
        world.tick()?;
        let fails = match &mut world.syncs_until_failure {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        let inode = &mut world.inodes[self.inode];
        let pending = std::mem::take(&mut inode.pending);
        if fails {
            // As Linux does it: the pages are clean now, on disk or not, and the next sync will find nothing to do.
            world.syncs_until_failure = None;
            for change in pending {
                if world.seeded.chance(50) {
                    apply(&mut inode.durable, &change);
                }
            }
            return Err(io::Error::other("the sync failed"));
        }
        // Not `durable = cached`: what an earlier failed sync lost stays lost.
        for change in &pending {
            apply(&mut inode.durable, change);
        }
        Ok(())
    }
}

/// The index of a simulation: rows that were not synced survive a power cut one by one, or not.
impl OpenIndex for SimDisk {
    fn open(&self, dir: &Path, _: u64) -> weft_store::Result<Arc<dyn Index>> {
        self.world().indexes.entry(dir.to_owned()).or_default();
        Ok(Arc::new(SimIndex { disk: self.clone(), dir: dir.to_owned() }))
    }

    fn generations(&self, dir: &Path) -> io::Result<Vec<u64>> {
        let world = self.world();
        let here = world.indexes.keys().filter(|path| path.parent() == Some(dir));
        let names = here.map(|dir| dir.file_name().unwrap().to_str().unwrap().to_owned());
        Ok(names.filter_map(|name| name.strip_prefix("index-")?.parse().ok()).collect())
    }

    fn remove(&self, dir: &Path) -> io::Result<()> {
        self.world().indexes.remove(dir);
        Ok(())
    }

    fn set_aside(&self, dir: &Path, _: bool) -> io::Result<()> {
        self.world().indexes.remove(dir);
        Ok(())
    }
}

struct SimIndex {
    disk: SimDisk,
    dir: PathBuf,
}

impl SimIndex {
    fn with<T>(&self, with: impl FnOnce(&mut (Rows, Rows)) -> T) -> Result<T, IndexError> {
        let mut world = self.disk.world();
        if world.off {
            return Err(IndexError("no current".into()));
        }
        world.indexes.get_mut(&self.dir).map(with).ok_or_else(|| IndexError("removed".into()))
    }
}

impl Index for SimIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.with(|(_, rows)| rows.get(key).cloned())
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError> {
        self.with(|(_, rows)| {
            let mut range = rows.range::<[u8], _>((from, to));
            while let Some((key, row)) = if reverse { range.next_back() } else { range.next() } {
                if !visit(key, row) {
                    break;
                }
            }
        })
    }

    fn apply(&self, changes: &mut dyn Iterator<Item = Change<'_>>) -> Result<(), IndexError> {
        self.with(|(_, rows)| {
            for (key, row) in changes {
                match row {
                    Some(row) => rows.insert(key.to_vec(), row.to_vec()),
                    None => rows.remove(key),
                };
            }
        })
    }

    fn sync(&self) -> Result<(), IndexError> {
        self.with(|(durable, rows)| durable.clone_from(rows))
    }
}
