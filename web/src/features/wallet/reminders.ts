import { engine } from '../../state/engine';
import type { MessagePage } from '../../wire/MessagePage';
import type { MessageView } from '../../wire/MessageView';

/** Nobody is reminded of the same thing again before so much time is over, from whatever device. */
export const AGAIN_MS = 86_400_000;
const PAGE = 100;
/** Whoever has written more than this in a day has said a lot. */
const PAGES_MAX = 5;

/** What one has said oneself in a chat lately, as the chat itself has it: all of one's devices see the same. */
export async function saidLately(chat: string, now: number): Promise<MessageView[]> {
  const read = (before: number | null): Promise<MessagePage> => engine().call({ call: 'messages', chat, before, limit: PAGE });
  const said: MessageView[] = [];
  let before: number | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { messages, more } = await read(before);
    said.push(...messages.filter((message) => message.mine && message.time_ms > now - AGAIN_MS));
    const first = messages[0];
    if (!more || !first || first.time_ms <= now - AGAIN_MS) break;
    before = first.order;
  }
  return said;
}

/** The text of a message; of what is none, nothing. */
export function textOf({ body }: MessageView): string {
  return body.kind === 'text' ? body.text : '';
}
