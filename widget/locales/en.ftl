# Texts of the widget (widget-…), of the bot (bot-…) and the reasons for which a video fails (failure-…), in English.

## The player

widget-title = Videos of this room
widget-player = Player
widget-play = Play
widget-pause = Pause
widget-previous = Previous video
widget-next = Next video
widget-back = Back 10 seconds
widget-forward = Forward 10 seconds
widget-mute = Mute
widget-unmute = Unmute
widget-tap-to-unmute = Tap to unmute
widget-volume = Volume
widget-volume-value = { $percent } percent
widget-fullscreen = Full screen
widget-leave-fullscreen = Leave full screen
widget-seek = Position in this video
widget-seek-value = { $position } of { $duration }
widget-spoken-time = { $hours ->
    [0] { $minutes ->
        [0] { $seconds ->
            [one] { $seconds } second
           *[other] { $seconds } seconds
        }
       *[other] { $minutes ->
            [one] { $minutes } minute
           *[other] { $minutes } minutes
        } { $seconds } s
    }
   *[other] { $hours } h { $minutes } min { $seconds } s
}
widget-now-playing = Now playing: { $title }, from { $name }
widget-buffering = Loading…
widget-stalled = The connection is slow or lost. Trying again…
widget-broken = This video cannot be played in this browser.
widget-skip = Play the next one
widget-untitled = Video
widget-shortcuts = Keys: space plays and pauses, J and L step 10 seconds, arrow keys seek and change the volume, N and P change the video, M mutes, F is full screen.

## Members and lists

widget-members = Whose videos to watch
widget-everyone = Everyone
widget-you = You
widget-member-videos = { $name }, { $count ->
    [0] no videos yet
    [one] { $count } video
   *[other] { $count } videos
}
widget-list = Videos
widget-list-of = Videos of { $name }
widget-count = { $count ->
    [0] No videos yet
    [one] { $count } video
   *[other] { $count } videos
}
widget-play-video = Play { $title }
widget-playing = Playing
widget-paused = Paused
widget-state-queued = Waiting its turn
widget-state-processing = Being prepared
widget-progress = Preparing { $title }
widget-progress-percent = { $percent } %
widget-progress-seconds = { $percent } %, about { $count } s left
widget-progress-minutes = { $percent } %, about { $count } min left
widget-progress-qualities = Sharper: { $progress }
widget-state-failed = Could not be prepared
widget-state-hidden = Hidden
widget-state-held = Waiting for a moderator

## Nothing to see yet

widget-empty-room = The stage is yours
widget-empty-room-hint = Send a video in this chat, and it plays here for everybody.
widget-empty-member = { $name } has not sent a video yet
widget-empty-member-hint = Their videos will play here as soon as they send one in this chat.
widget-empty-own = You have not sent a video yet
widget-empty-own-hint = Send a video in this chat. It plays here seconds later.
widget-empty-waiting = Next in line
widget-empty-waiting-hint = Other videos are being prepared first. This one starts here by itself.
widget-empty-preparing = Almost there
widget-empty-preparing-hint = The video is being prepared and starts here by itself.
widget-empty-failed = Nothing to play yet
widget-empty-failed-hint = The list says what went wrong, and what to do about it.

## Trouble

widget-loading = Loading the videos of this room…
widget-asking = Your chat app is asking whether Roomreel may know who you are. Please choose “Continue” there.
widget-stale = Reconnecting…
widget-retry = Try again
widget-error-outside = Please open me in a chat
widget-error-outside-hint = Roomreel plays inside a Matrix room. Open the room in a client that shows widgets, for example Element on a computer, and choose the Roomreel widget there.
widget-error-no-answer = Your chat app does not answer
widget-error-no-answer-hint = Try again. If it stays like this, close the widget and open it anew.
widget-error-declined = We need to know that you are a member
widget-error-declined-hint = Only members of this room may watch. Try again and choose “Continue” when your chat app asks. Roomreel learns your user name, nothing else.
widget-error-identity = We could not check who you are
widget-error-identity-hint = This can happen right after the widget was added. Please try again.
widget-error-not-member = Only members of this room can watch
widget-error-not-member-hint = Join the room first, then try again.
widget-error-offline = No connection
widget-error-offline-hint = We keep trying. You can also try now.
widget-error-server = The server has a problem
widget-error-server-hint = It is not your fault. We keep trying; you can also try now.
widget-error-no-room = This link names no room
widget-error-no-room-hint = Ask a moderator to add the Roomreel widget again: invite the bot, and it sets everything up.
widget-error-unsupported = This browser cannot play these videos
widget-error-unsupported-hint = Please update the browser or the chat app, or use another one.

## Why a video could not be prepared, and what its sender can do

failure-empty-file = The file is empty. Please send the video again.
failure-not-a-video = This file is not a video. Send it as MP4, MOV, WebM or MKV.
failure-broken-file = The file is damaged or was not sent completely. Please send it again.
failure-too-long = The video is too long for this room. Send a shorter one.
failure-too-large-picture = The picture is too large. Send it with a smaller resolution, for example 4K or 1080p.
failure-too-high-frame-rate = The video has too many pictures a second. Save it with 60 or fewer, and send it again.
failure-too-many-streams = The file holds too many tracks. Save it with one picture and one sound track, and send it again.
failure-took-too-long = Preparing the video took too long. Try a shorter or smaller one.
failure-tool-missing = The server is not set up for videos yet. Please tell whoever runs it.
failure-failed = Something went wrong while preparing the video. Please send it again.
failure-media-gone = Your homeserver no longer has the file. Please send the video again.
failure-media-too-large = The file is larger than this server accepts. Send a smaller one.
failure-download-failed = The file could not be fetched from your homeserver. Please send it again later.
failure-hash-mismatch = The file was changed on its way and was not used. Please send it again.
failure-internal = The server made a mistake. Please send the video again; if it stays, tell whoever runs the server.

## What the bot says in the room

bot-declined = I may not serve you here: ask the operator of this server to let you use me.
bot-welcome = This room has a screen now. Send a video in the chat and it plays in the room's widget; everybody's videos play in order and start over. To watch, open the room's “Roomreel” widget, for example in Element on a computer.
bot-needs-power = I have no permission to put the video screen into this room. Give { $bot } power level { $level }, or lower the level for “Modify widgets” in the room's settings; I will try again by myself.
bot-encrypted = This room is encrypted, and I cannot read videos in encrypted rooms yet. Use me in a room without encryption.
bot-failed = “{ $title }” cannot be shown. { $reason }
bot-untitled = Your video
