/** A node without a domain is called by its key, which has no dot. Its end tells keys apart: they all begin alike. */
const KEY_MIN = 24;
const HEAD = 4;
const TAIL = 10;

/** A node's name as it fits into a line; one that is a key is shortened in the middle. Where it is decided about, it stands in full. */
export function shortNode(name: string): string {
  return name.length < KEY_MIN || name.includes('.') ? name : `${name.slice(0, HEAD)}…${name.slice(-TAIL)}`;
}

/** The same with an address: `bob@12D3…hf4TqSjDkQ`. */
export function shortAddress(user: string): string {
  const at = user.lastIndexOf('@');
  return at < 0 ? user : `${user.slice(0, at + 1)}${shortNode(user.slice(at + 1))}`;
}

/** The left half of an address: what somebody, or a shop, is called on their node. */
export function nameOf(user: string): string {
  return user.slice(0, user.lastIndexOf('@'));
}

/** The right half of an address. */
export function nodeOf(user: string): string {
  return user.slice(user.lastIndexOf('@') + 1);
}
