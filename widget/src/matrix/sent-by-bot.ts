// The viewer has sent something by the bot in this browser: from then on they know how it arrives.
import { remembered } from '../browser/preference';

export const sentByBot = remembered('roomreel.sent-by-bot', ['no', 'yes']);
