// The first page: who are you?
import { localpart } from '../../src/core/format';
import icon from '../icon.svg';
import type { Demo, DemoUser } from '../matrix/demo';
import { Avatar } from './avatar';

interface SignInProps {
  readonly demo: Demo | null;
  /** Localpart of the user who is being signed in. */
  readonly busy: string | null;
  readonly error: string | null;
  readonly onChoose: (demo: Demo, user: DemoUser) => void;
}

export function SignIn({ demo, busy, error, onChoose }: SignInProps) {
  return (
    <main class="sign-in">
      <img class="sign-in-mark" src={icon} alt="" width="56" height="56" />
      <h1>Roomreel demo</h1>
      <p class="sign-in-lead">Send a video in the chat; seconds later it plays in the room’s widget, for everybody in the room. Who are you?</p>
      <div class="sign-in-users">
        {demo?.users.map((user) => (
          <button
            key={user.user_id}
            type="button"
            class="sign-in-user"
            data-testid={`sign-in-${localpart(user.user_id)}`}
            disabled={busy !== null}
            onClick={() => onChoose(demo, user)}
          >
            <Avatar userId={user.user_id} name={user.display_name} />
            <span>
              <strong>{busy === localpart(user.user_id) ? 'Signing in…' : `I am ${user.display_name}`}</strong>
              <small>{user.user_id}</small>
            </span>
          </button>
        ))}
      </div>
      {error !== null && <p class="problem" role="alert" data-testid="sign-in-error">{error}</p>}
      <p class="sign-in-hint">Open this page in a second browser window to be somebody else at the same time.</p>
    </main>
  );
}
