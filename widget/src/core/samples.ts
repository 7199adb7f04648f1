// Rooms, members and videos for tests: plain ones, in which a test changes what it is about.
import type { Member, Room, Video, VideoState } from './model';

export function aVideo(id: string, state: VideoState = 'ready', fields: Partial<Video> = {}): Video {
  return {
    id, eventId: `$${id}`, sentHere: true, title: id, kind: 'video', state, visibility: 'shown', heldFor: null, hiddenBy: null, awaitsUpload: false, duration: 1, aspect: null, posterUrl: null, blurhash: null, progress: null,
    createdAt: 0, failure: null, audioLeftOut: null, storyboardUrl: null, previewUrl: null, captions: [], version: 1, can: new Set(), published: false,
    isVideoAvatar: false, reports: null, spoiler: false, spoilerReason: null, playlistUrl: null, ...fields,
  };
}

export function aMember(userId: string, videos: readonly Video[] = [], fields: Partial<Member> = {}): Member {
  const reelUrl = videos.some(({ state }) => state === 'ready') ? `/media/1.s/r/reel/${userId}/1/index.m3u8` : null;
  return { userId, displayName: null, avatarUrl: null, videoAvatarUrl: null, reelUrl, canOrder: false, videos, more: 0, morePlayable: 0, ...fields };
}

export function aRoom(members: readonly Member[], fields: Partial<Room> = {}): Room {
  return {
    roomId: '!r', name: null, bot: null, channelUrl: null, grantExpiresAt: 0, now: null, schedule: null, watching: [], direct: false, replacedBy: null, together: null, bookmark: null, can: null, encryption: null, large: null,
    members,
    ...fields,
  };
}
