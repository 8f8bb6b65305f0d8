import { m } from '$messages/messages';
import type { PeerView } from '../../wire/PeerView';

/** When a node was last heard, to the hour as the node keeps it. */
export function lastHeard(peer: PeerView, locale: string): string {
  if (peer.last_contact_ms === 0) return m.peer_never();
  return m.peer_seen({ date: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(peer.last_contact_ms) });
}
