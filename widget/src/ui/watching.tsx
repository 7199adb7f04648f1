// Who watches the channel now: a few faces, and how many they are.
import { EveryoneIcon } from './icons';
import { nameOf } from './names';
import { Avatar } from './image';
import { useLocales, useText } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';

/** Faces that are shown, and names that are spoken. */
const FACES = 3;
const NAMES = 8;

export function Watching() {
  const t = useText();
  const room = useStore(useVisit().state, (state) => state.room);
  const viewer = useStore(useVisit().state, (state) => state.viewer);
  const members = new Map(room?.members.map((member) => [member.userId, member]));
  const watching = (room?.watching ?? []).flatMap((userId) => members.get(userId) ?? []);
  if (watching.length === 0) return null;
  const others = watching.filter(({ userId }) => userId !== viewer);
  // One's own face says least.
  const faces = others.slice(0, FACES);
  const names = [...(others.length < watching.length ? [t('widget-you')] : []), ...others.map(nameOf)].slice(0, NAMES);
  const label = t('widget-watching', { count: watching.length, names: new Intl.ListFormat([...useLocales()]).format(names), more: watching.length - names.length });
  return (
    <span class="watching" role="img" aria-label={label} title={label} data-testid="watching" data-count={watching.length}>
      <span class="watching-icon" data-alone={faces.length === 0}><EveryoneIcon /></span>
      {faces.map((member) => <Avatar key={member.userId} url={member.avatarUrl} name={nameOf(member)} id={member.userId} />)}
      <span class="watching-count" aria-hidden="true">{watching.length}</span>
    </span>
  );
}
