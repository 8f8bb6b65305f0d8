/** Backgrounds on which white can be read (4.5:1 and more), calm enough to stand side by side. */
const COLOURS = ['#8a4b2f', '#7a5a14', '#5c6a1f', '#2f6f45', '#1f6f73', '#2f648f', '#4d5aa3', '#70509b', '#914777', '#9c3f4b'];

/** The same person has the same colour everywhere. FNV-1a over the address. */
export function avatarColour(user: string): string {
  let hash = 0x811c9dc5;
  for (const unit of user) hash = Math.imul(hash ^ (unit.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return COLOURS[hash % COLOURS.length] ?? '#2f648f';
}

const WIDE = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** The one character that has room in a part of a group's picture. */
export function initial(name: string): string {
  const letters = [...new Intl.Segmenter().segment(initials(name))].map((part) => part.segment);
  return (WIDE.test(name) ? letters.at(-1) : letters[0]) ?? '?';
}

/** What stands in a picture without a photo: two initials, or the last one or two characters of a CJK name. */
export function initials(name: string): string {
  const trimmed = name.trim();
  const characters = [...new Intl.Segmenter().segment(trimmed)].map((part) => part.segment);
  if (characters.length === 0) return '?';
  // Chinese names are told apart by their end: 王小明 and 王大明 share the family name.
  if (WIDE.test(trimmed)) return characters.length > 2 ? characters.slice(-2).join('') : (characters.at(-1) ?? '?');
  const words = trimmed.split(/[\s._-]+/u).filter(Boolean);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}
