// One message, file or state change of the timeline.
import type { Entry } from '../matrix/entry';
import { nameOf, reactionsTo, type Room } from '../matrix/room';
import { Avatar } from './avatar';
import { FileBubble } from './file-bubble';
import { ThreadIcon } from './icons';

/** Milliseconds within which messages of one person share a heading. */
const TOGETHER = 5 * 60_000;
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

interface EntryItemProps {
  readonly entry: Entry;
  readonly before: Entry | undefined;
  readonly room: Room;
  readonly own: boolean;
}

export function EntryItem({ entry, before, room, own }: EntryItemProps) {
  const name = nameOf(room, entry.sender);
  if (entry.kind === 'line') return <p class="line" data-event-id={entry.id}>{name} {entry.text}</p>;
  const continues = before !== undefined && before.kind !== 'line' && before.sender === entry.sender && entry.at - before.at < TOGETHER;
  return (
    <article class="message" data-testid="message" data-event-id={entry.id} data-kind={entry.kind} data-own={own} data-continues={continues}>
      {!continues && (
        <header class="message-head">
          <Avatar userId={entry.sender} name={name} small />
          <strong>{name}</strong>
          <time dateTime={new Date(entry.at).toISOString()}>{TIME.format(entry.at)}</time>
        </header>
      )}
      {entry.thread !== null && <p class="thread"><ThreadIcon /><span>{aboutOf(room, entry.thread, 'In the thread of', 'In a thread')}</span></p>}
      {entry.repliesTo !== null && <p class="thread"><ThreadIcon /><span>{aboutOf(room, entry.repliesTo, 'Answers', 'An answer')}</span></p>}
      <Body entry={entry} name={name} />
      <Reactions room={room} target={entry.id} />
    </article>
  );
}

function Body({ entry, name }: { entry: Entry; name: string }) {
  if (entry.kind === 'removed') return <p class="bubble bubble-removed">Message deleted</p>;
  const text = entry.kind === 'emote' ? `* ${name} ${entry.text}` : entry.text;
  return (
    <>
      {entry.file !== null && <FileBubble name={entry.file.name} size={entry.file.size} video={entry.file.video} />}
      {text !== '' && <p class="bubble">{text}</p>}
    </>
  );
}

function Reactions({ room, target }: { room: Room; target: string }) {
  const reactions = [...reactionsTo(room, target)];
  if (reactions.length === 0) return null;
  return (
    <ul class="reactions" aria-label="Reactions">
      {reactions.map(([key, senders]) => (
        <li key={key} data-testid="reaction" data-key={key} title={senders.map((sender) => nameOf(room, sender)).join(', ')}><bdi>{key}</bdi> {senders.length}</li>
      ))}
    </ul>
  );
}

function aboutOf(room: Room, id: string, known: string, unknown: string): string {
  const entry = room.entries.find((one) => one.id === id);
  return entry === undefined ? unknown : `${known} ${entry.file?.name ?? `“${entry.text}”`}`;
}
