import { m } from '$messages/messages';
import { engine } from './engine';

/** Browsers by the mark that is their own: nearly all of them also pose as Chrome or Safari. */
const BROWSERS: [RegExp, string][] = [
  [/MicroMessenger\//, 'WeChat'],
  [/Edg(?:A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/(?:Firefox|FxiOS)\//, 'Firefox'],
  [/(?:Chrome|CriOS)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'Mac'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** `Chrome on Linux`. */
export function deviceName(agent: string): string {
  const of = (known: [RegExp, string][]): string | undefined => known.find(([mark]) => mark.test(agent))?.[1];
  const browser = of(BROWSERS) ?? m.device_browser();
  const system = of(SYSTEMS);
  return system ? m.device_name({ browser, system }) : browser;
}

/** Tells one's other devices what this one is. The node does not learn it; that it fails is no reason to disturb. */
export function nameDevice(): void {
  engine().call({ call: 'name_device', name: deviceName(navigator.userAgent) }).catch(() => undefined);
}
