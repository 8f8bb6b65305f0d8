//! An ordered map over a plain list.
//!
//! A `BTreeMap` brings several kilobytes of code for each pair of types, and every browser loads all of it. Of what lies here there
//! are some hundreds at most: moving them aside costs less than one signature.

/// Keys in order, each with a value.
#[derive(Debug, Clone)]
pub(crate) struct Shelf<K, V>(Vec<(K, V)>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Shelf(Vec::new())
    }
}

impl<K: Ord, V> Shelf<K, V> {
    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let at = self.place(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    /// Sets a value and gives the one of before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.get_mut(&key) {
            Some(known) => Some(std::mem::replace(known, value)),
            None => {
                let at = self.place(&key).unwrap_or_else(|at| at);
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key away and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// All keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All values, in the order of the keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// All keys and values, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// All keys with their values, taken out.
    pub fn take(&mut self) -> Vec<(K, V)> {
        std::mem::take(&mut self.0)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord + Clone, V: Default> Shelf<K, V> {
    /// Changes the value of a key, made when it is not there.
    pub fn change<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> R {
        let mut value = self.remove(key).unwrap_or_default();
        let result = change(&mut value);
        self.insert(key.clone(), value);
        result
    }
}

/// In the order of a text that is made for each.
pub(crate) fn sorted<T>(items: Vec<T>, text: impl Fn(&T) -> String) -> Vec<T> {
    let mut places: Vec<(String, usize)> = items.iter().map(text).zip(0..).collect();
    places.sort_unstable();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.into_iter().filter_map(|(_, at)| items.get_mut(at)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_order_and_each_is_there_once() {
        let mut shelf = Shelf::default();
        for (key, value) in [(5, 'e'), (1, 'a'), (3, 'x'), (3, 'c')] {
            shelf.insert(key, value);
        }
        assert_eq!(shelf.insert(1, 'a'), Some('a'));
        shelf.change(&4, |value| *value = 'd');
        assert_eq!(shelf.change(&3, |value| *value), 'c');
        assert_eq!(shelf.remove(&5), Some('e'));
        assert_eq!((shelf.remove(&5), shelf.get(&2), shelf.get(&3)), (None, None, Some(&'c')));
        assert!(shelf.contains_key(&4) && !shelf.contains_key(&5));
        shelf.iter_mut().for_each(|(_, value)| value.make_ascii_uppercase());
        assert_eq!(shelf.values().collect::<String>(), "ACD");
        assert_eq!(shelf.take(), [(1, 'A'), (3, 'C'), (4, 'D')]);
        assert!(shelf.is_empty());
    }

    #[test]
    fn what_sorts_alike_stays_as_it_came() {
        let lower = |text: &&str| text.to_lowercase();
        assert_eq!(sorted(vec!["b", "C", "a", "B", "A"], lower), ["a", "A", "b", "B", "C"]);
    }
}
