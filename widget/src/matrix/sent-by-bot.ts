// The viewer has sent something by the bot in this browser: from then on they know how it arrives.
import { preference } from '../browser/preference';

export const sentByBot = preference('roomreel.sent-by-bot', ['no', 'yes']);
