/** Finds links in what people wrote. Nothing here makes markup: the parts are drawn as text. */

export type Part = { kind: 'text'; text: string } | { kind: 'link'; text: string; url: string; odd: boolean };

/** An address runs until white space, quotes or CJK punctuation: Chinese is written without spaces around it. */
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`\u3000-\u303f\uff00-\uffef\u2018-\u201f]+/giu;
/** Closing marks belong to the sentence, not to the address. */
const TRAILING = new Set('.,;:!?*_~');
const PAIRS = { ')': '(', ']': '[', '}': '{' };
/** Longer texts are shown without links rather than slowly. */
const SCAN_MAX = 20_000;

export function parts(text: string): Part[] {
  if (text.length > SCAN_MAX) return [{ kind: 'text', text }];
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const written = trim(match[0]);
    const url = parse(written);
    if (!url) continue;
    if (match.index > end) found.push({ kind: 'text', text: text.slice(end, match.index) });
    found.push({ kind: 'link', text: written, url: url.href, odd: isOdd(written, url) });
    end = match.index + written.length;
  }
  if (end < text.length) found.push({ kind: 'text', text: text.slice(end) });
  return found;
}

/** What of it is the address. From the end, one look at each character: somebody may send nothing but brackets. */
export function trim(written: string): string {
  const surplus = new Map<string, number>();
  for (const [close, open] of Object.entries(PAIRS)) surplus.set(close, count(written, close) - count(written, open));
  let end = written.length;
  for (; end > 0; end -= 1) {
    const last = written.charAt(end - 1);
    if (TRAILING.has(last)) continue;
    const closes = surplus.get(last);
    // A bracket that was opened in the address belongs to it.
    if (closes === undefined || closes <= 0) break;
    surplus.set(last, closes - 1);
  }
  return written.slice(0, end);
}

function count(text: string, mark: string): number {
  let found = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) found += 1;
  return found;
}

function parse(written: string): URL | null {
  try {
    const url = new URL(/^www\./i.test(written) ? `https://${written}` : written);
    const named = url.hostname.includes('.') || url.hostname === 'localhost' || url.hostname.startsWith('[');
    return named && (url.protocol === 'https:' || url.protocol === 'http:') ? url : null;
  } catch {
    return null;
  }
}

/**
 * Whether what is read and where it leads may differ: letters that look like others (`xn--`), a name before an `@` that
 * poses as the host, or characters that do not show or that turn the direction.
 */
function isOdd(written: string, url: URL): boolean {
  if (url.username || url.password) return true;
  if (url.hostname.split('.').some((label) => label.startsWith('xn--'))) return true;
  if (/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u.test(written)) return true;
  return !written.toLowerCase().replace(/^https?:\/\//, '').startsWith(url.host.toLowerCase());
}

/** One to three emoji and nothing else: shown large. */
export function onlyEmoji(text: string): boolean {
  if (text.length > 60 || !/^(?:[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u200d\ufe0f\u20e3#*0-9\s]|[\u{e0020}-\u{e007f}])+$/u.test(text)) return false;
  const marks = [...new Intl.Segmenter().segment(text.replace(/\s/gu, ''))];
  return marks.length > 0 && marks.length <= 3 && marks.every(({ segment }) => /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(segment));
}
