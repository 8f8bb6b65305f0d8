import { m } from '$messages/messages';
import type { BodyView } from '../../wire/BodyView';

/** The words of a line in the middle of a chat. */
export function systemText(code: string, name: string): string {
  switch (code) {
    case 'secured':
      return m.system_secured();
    case 'joined':
      return m.system_joined();
    case 'device_added':
      return m.system_device_added({ name });
    case 'resynced':
      return m.system_resynced();
    case 'undecryptable':
      return m.system_undecryptable();
    case 'key_changed':
      return m.system_key_changed({ name });
    default:
      return m.system_unknown();
  }
}

/** A message in one line, for lists and announcements. */
export function bodyLine(body: BodyView, name: string): string {
  switch (body.kind) {
    case 'text':
      return body.text;
    case 'unknown':
      return body.fallback || m.unknown_kind();
    case 'system':
      return systemText(body.code, name);
  }
}
