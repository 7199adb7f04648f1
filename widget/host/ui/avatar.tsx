// A person's letters on their colour.
import { colourOf, initials } from '../../src/core/format';

/** How many colours `base.css` knows. */
const COLOURS = 8;

export const Avatar = ({ userId, name, small = false }: { userId: string; name: string; small?: boolean }) => (
  <span class={small ? 'avatar avatar-small' : 'avatar'} data-colour={colourOf(userId, COLOURS)} aria-hidden="true">
    {initials(name)}
  </span>
);
