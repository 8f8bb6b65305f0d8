/** As it is searched and compared: case and accents do not matter, `jose` finds José. */
export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{Mark}/gu, '').toLowerCase();
}
