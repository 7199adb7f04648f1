// A member's public page, read as a room in which they are alone: so the same parts show it.
import { asObject, decodeRoom } from './decode';
import type { Room } from './model';

/** The data of `/u/{user_id}/reel.json`. Throws DecodeError. */
export function decodePublicMember(value: unknown): Room {
  const member = asObject(value, 'member');
  const videos = Array.isArray(member.videos) ? member.videos.map((each: unknown) => asObject(each, 'video')) : [];
  // Nobody outside the room knows of the message that brought a video.
  const shown = videos.map((video) => ({ ...video, event_id: video.id, state: 'ready', visibility: 'shown' }));
  return decodeRoom({ room_id: member.user_id, grant_expires_at: 0, members: [{ ...member, videos: shown }] });
}
