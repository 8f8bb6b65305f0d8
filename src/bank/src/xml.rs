//! XML as banks send it, one element at a time: no document types, no entities but the five of XML, and bounds on depth, tags and texts.

use quick_xml::{
    escape::resolve_predefined_entity,
    events::{BytesStart, Event as Raw},
    name::{Namespace, ResolveResult},
    reader::NsReader,
};
use std::borrow::Cow;

/// How deep elements nest at most. camt.053 goes to 15, an envelope adds three.
pub const DEPTH_MAX: usize = 32;
/// The most bytes of a start tag with its attributes.
pub const TAG_BYTES_MAX: usize = 8 * 1024;
/// The most bytes of the text of one element; 500 characters are the most that camt.053 has for it.
pub const ELEMENT_TEXT_BYTES_MAX: usize = 4 * 1024;
/// The most elements of one payment, or of the head of a statement.
pub const ELEMENTS_MAX: usize = 2 * 1024;
/// The most prefixes that are bound to namespaces at one time.
const BINDINGS_MAX: usize = 32;

/// Why a file is not read as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is not well-formed.
    #[error("malformed XML: {0}")]
    Malformed(String),
    /// It ends before its elements do.
    #[error("the file ends in the middle")]
    Truncated,
    /// It has a document type declaration. No bank needs one, and it is how a small file becomes a large one.
    #[error("a document type declaration is not read")]
    DocumentType,
    /// It names an entity that XML does not have.
    #[error("an entity that XML does not have")]
    Entity,
    /// It binds no namespace to a prefix that it uses.
    #[error("a prefix without a namespace")]
    Prefix,
    /// Something stands before or behind the one root element.
    #[error("text or a second element outside the root element")]
    OutsideRoot,
    /// Deeper than [`DEPTH_MAX`].
    #[error("elements nest deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Longer than [`TAG_BYTES_MAX`].
    #[error("a tag has more than {TAG_BYTES_MAX} bytes")]
    TagTooLong,
    /// Longer than [`ELEMENT_TEXT_BYTES_MAX`].
    #[error("an element has more than {ELEMENT_TEXT_BYTES_MAX} bytes of text")]
    TextTooLong,
    /// More than [`ELEMENTS_MAX`].
    #[error("more than {ELEMENTS_MAX} elements in one payment or head")]
    TooManyElements,
}

/// A start tag.
#[derive(Debug, Default)]
pub(crate) struct Tag {
    /// Its name without prefix.
    pub(crate) name: String,
    /// What follows the prefix of our namespaces; `None` if it is of another.
    pub(crate) version: Option<String>,
    /// The attribute `Ccy`.
    pub(crate) currency: Option<String>,
}

/// What comes next.
pub(crate) enum Event<'a> {
    Start(Tag),
    Text(Cow<'a, str>),
    End,
    /// Behind the root element.
    Over,
}

/// One element with all that is in it, of our namespaces.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    pub(crate) currency: Option<String>,
    text: String,
    pub(crate) children: Vec<Element>,
}

/// Reads a text from its beginning to its end.
pub(crate) struct Xml<'a> {
    reader: NsReader<&'a [u8]>,
    namespaces: &'static str,
    depth: usize,
    had_root: bool,
}

impl<'a> Xml<'a> {
    /// Elements whose namespace begins with `namespaces` are ours.
    pub(crate) fn new(text: &'a str, namespaces: &'static str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.resolver_mut().set_max_namespace_bindings(BINDINGS_MAX);
        Xml { reader, namespaces, depth: 0, had_root: false }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    pub(crate) fn next(&mut self) -> Result<Event<'a>, XmlError> {
        loop {
            let (namespace, event) = self.reader.read_resolved_event().map_err(|error| malformed(&error))?;
            match event {
                Raw::Start(start) | Raw::Empty(start) => {
                    let tag = tag(&namespace, &start, self.namespaces)?;
                    if self.depth == 0 && std::mem::replace(&mut self.had_root, true) {
                        return Err(XmlError::OutsideRoot);
                    }
                    self.depth += 1;
                    return if self.depth > DEPTH_MAX {
                        Err(XmlError::TooDeep)
                    } else {
                        Ok(Event::Start(tag))
                    };
                }
                Raw::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Event::End);
                }
                Raw::Text(text) => return self.text(text.xml10_content()),
                Raw::CData(text) => return self.text(text.xml10_content()),
                Raw::GeneralRef(entity) => {
                    let meant = match entity.resolve_char_ref().map_err(|_| XmlError::Entity)? {
                        Some(c) => Cow::Owned(c.to_string()),
                        None => Cow::Borrowed(resolve_predefined_entity(&entity).ok_or(XmlError::Entity)?),
                    };
                    return self.text(meant);
                }
                Raw::DocType(_) => return Err(XmlError::DocumentType),
                Raw::Decl(_) | Raw::PI(_) | Raw::Comment(_) => {}
                Raw::Eof if self.depth == 0 && self.had_root => return Ok(Event::Over),
                Raw::Eof => return Err(XmlError::Truncated),
            }
        }
    }

    fn text(&self, text: Cow<'a, str>) -> Result<Event<'a>, XmlError> {
        let blank = text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        if self.depth == 0 && !blank { Err(XmlError::OutsideRoot) } else { Ok(Event::Text(text)) }
    }

    /// The next of our elements in the one that was begun last; `None` at its end. What is of other namespaces is passed over.
    pub(crate) fn child(&mut self) -> Result<Option<Tag>, XmlError> {
        loop {
            match self.next()? {
                Event::Start(tag) if tag.version.is_some() => return Ok(Some(tag)),
                Event::Start(_) => self.skip()?,
                Event::Text(_) => {}
                Event::End | Event::Over => return Ok(None),
            }
        }
    }

    /// Passes over the rest of the element that was begun last.
    pub(crate) fn skip(&mut self) -> Result<(), XmlError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Reads the rest of the element that was begun last. `room` is how many elements there may still be.
    pub(crate) fn element(&mut self, tag: Tag, room: &mut usize) -> Result<Element, XmlError> {
        *room = room.checked_sub(1).ok_or(XmlError::TooManyElements)?;
        let mut element = Element { name: tag.name, currency: tag.currency, ..Element::default() };
        loop {
            match self.next()? {
                // As deep as DEPTH_MAX.
                Event::Start(tag) if tag.version.is_some() => element.children.push(self.element(tag, room)?),
                Event::Start(_) => self.skip()?,
                // What only indents the elements inside is no text of this one.
                Event::Text(text) if element.text.is_empty() && text.trim().is_empty() => {}
                Event::Text(text) => {
                    if element.text.len() + text.len() > ELEMENT_TEXT_BYTES_MAX {
                        return Err(XmlError::TextTooLong);
                    }
                    element.text.push_str(&text);
                }
                Event::End | Event::Over => return Ok(element),
            }
        }
    }
}

impl Element {
    /// All elements of a name that stand directly in this one.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element at a path, as `Refs/EndToEndId`.
    pub(crate) fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.all(name).next())
    }

    /// The text of the first element at a path, if it has one.
    pub(crate) fn value(&self, path: &str) -> Option<&str> {
        self.at(path).map(Element::text).filter(|text| !text.is_empty())
    }

    /// The text without the space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
}

fn tag(namespace: &ResolveResult<'_>, start: &BytesStart<'_>, ours: &str) -> Result<Tag, XmlError> {
    if start.len() > TAG_BYTES_MAX {
        return Err(XmlError::TagTooLong);
    }
    let version = match namespace {
        ResolveResult::Bound(Namespace(name)) => name.strip_prefix(ours).map(str::to_owned),
        ResolveResult::Unbound => None,
        ResolveResult::Unknown(_) => return Err(XmlError::Prefix),
    };
    let currency = start.try_get_attribute("Ccy").map_err(|error| malformed(&error))?;
    let currency = currency.map(|attribute| attribute.value.trim().to_owned());
    Ok(Tag { name: start.local_name().as_ref().to_owned(), version, currency })
}

/// The library may quote from the file; keep what helps and no more.
fn malformed(error: &impl std::fmt::Display) -> XmlError {
    XmlError::Malformed(error.to_string().chars().filter(|c| !c.is_control()).take(120).collect())
}
