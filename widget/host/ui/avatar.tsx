// A person's letters on their colour.
import { colourOf, initials } from '../../src/core/format';

/** How many colours `avatar.css` knows. */
const COLOURS = 6;

export const Avatar = ({ name, small = false }: { name: string; small?: boolean }) => (
  <span class={small ? 'avatar avatar-small' : 'avatar'} data-colour={colourOf(name, COLOURS)} aria-hidden="true">
    {initials(name)}
  </span>
);
