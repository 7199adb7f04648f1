// Who wrote something: face and name of a member; who has left is known by their id.
import { localpart } from '../../core/format';
import { nameOf } from '../names';
import { Avatar } from '../image';
import { useText } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';

interface Someone {
  /** How the viewer knows them; themselves as 'You'. */
  readonly called: string;
  readonly name: string;
  readonly avatarUrl: string | null;
  readonly own: boolean;
}

export function usePerson(userId: string): Someone {
  const t = useText();
  const { state } = useVisit();
  // Not the whole state: there may be hundreds of them on the page.
  const member = useStore(state, ({ room }) => room?.members.find((one) => one.userId === userId));
  const own = useStore(state, ({ viewer }) => viewer === userId);
  const name = member === undefined ? localpart(userId) : nameOf(member);
  return { called: own ? t('widget-you') : name, name, avatarUrl: member?.avatarUrl ?? null, own };
}

export function Person({ userId }: { userId: string }) {
  const { called, name, avatarUrl } = usePerson(userId);
  return (
    <span class="person" title={userId}>
      <Avatar url={avatarUrl} name={name} id={userId} />
      <bdi class="person-name">{called}</bdi>
    </span>
  );
}
