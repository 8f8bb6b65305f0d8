/** A shop's sign as a picture that any printer takes: lines and text, no pixels. */

/** One side of a code in modules, and a path over the dark ones. Its quiet zone is around it. */
export interface Modules {
  size: number;
  path: string;
}

/** Modules of white that a code needs around it (ISO/IEC 18004). */
export const QUIET = 4;

export async function modulesOf(text: string): Promise<Modules> {
  const { generate } = await import('lean-qr');
  const code = generate(text);
  let path = '';
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (!code.get(x, y)) continue;
      let end = x + 1;
      while (end < code.size && code.get(end, y)) end += 1;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
  }
  return { size: code.size, path };
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text as it stands in XML; what XML cannot hold is left out. */
export function escaped(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replace(/[&<>"']/g, (sign) => escapes[sign] ?? '');
}

/** Wide signs take the room of two. */
function widthOf(text: string): number {
  return [...text].reduce((sum, sign) => sum + (/[\u1100-\uffdc]|\p{Emoji_Presentation}/u.test(sign) ? 2 : 1.1), 0);
}

export interface SignText {
  title: string;
  /** "Scan to pay in EUR". */
  lead: string;
  /** Address, and till. */
  foot: string;
}

/** The whole sign, A5 upright, as a file. */
export function signFile({ size, path }: Modules, { title, lead, foot }: SignText): string {
  const [width, height, side] = [148, 210, 104];
  const module = side / (size + 2 * QUIET);
  const left = (width - side) / 2 + QUIET * module;
  const fit = (text: string, most: number): number => Math.min(most, (width - 24) / (widthOf(text) * 0.56));
  const line = (text: string, y: number, most: number, weight: number): string => `<text x="${width / 2}" y="${y}" font-size="${fit(text, most).toFixed(2)}" font-weight="${weight}">${escaped(text)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    '<g fill="#1c1812" font-family="system-ui, sans-serif" text-anchor="middle">',
    line(title, 40, 13, 700),
    line(lead, 54, 7, 400),
    `<path transform="translate(${left.toFixed(3)} ${(66 + QUIET * module).toFixed(3)}) scale(${module.toFixed(5)})" d="${path}" shape-rendering="crispEdges"/>`,
    line(foot, 186, 5.5, 400),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}
