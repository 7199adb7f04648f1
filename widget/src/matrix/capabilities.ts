// What the widget may be allowed to do in its room, as capabilities of the widget API.

/** Each permission's capability, all of them for this room (MSC2762 and the widget API's own). */
export const CAPABILITIES = {
  stayOnScreen: 'm.always_on_screen',
  sendVideo: 'org.matrix.msc2762.send.event:m.room.message#m.video',
  sendText: 'org.matrix.msc2762.send.event:m.room.message#m.text',
  sendReaction: 'org.matrix.msc2762.send.event:m.reaction',
  sendRedaction: 'org.matrix.msc2762.send.event:m.room.redaction',
  seeMessages: 'org.matrix.msc2762.receive.event:m.room.message',
  seeReactions: 'org.matrix.msc2762.receive.event:m.reaction',
  seeRedactions: 'org.matrix.msc2762.receive.event:m.room.redaction',
} as const;
export type Permission = keyof typeof CAPABILITIES;

export const ALL = Object.keys(CAPABILITIES) as Permission[];
/** What leaves something in the room. */
export const SENDING: readonly Permission[] = ['sendVideo', 'sendText', 'sendReaction', 'sendRedaction'];
