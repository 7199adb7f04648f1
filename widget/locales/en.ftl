# Texts of the widget (widget-…), of public pages (page-…), of the bot (bot-…), the reasons for which a video fails (failure-…), and for which it lacks sound (audio-…), in English.

## The player

widget-title = Videos of this room
widget-player = Player
widget-controls = Playback
widget-tools = More views
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
widget-now-playing = { $own ->
    [yes] Now playing: { $title }, from you
   *[no] Now playing: { $title }, from { $name }
}
widget-buffering = Loading…
widget-stalled = The connection is slow or lost. Trying again…
widget-broken = This video cannot be played in this browser.
widget-skip = Play the next one
widget-live = Live
widget-back-to-live = Back to live
widget-live-note = You see the same moment as everybody
widget-away-note = You watch at your own pace
widget-watching = { $more ->
    [0] { $count } watching: { $names }
   *[other] { $count } watching: { $names } and { $more } more
}
widget-untitled = Video
# A file that a camera named, by the day and time in its name; “when” is the message widget-camera-when.
widget-camera = { $kind ->
    [image] Photo of { $when }
    [voice] Recording of { $when }
    [screen] Screen recording of { $when }
   *[video] Video of { $when }
}
widget-camera-when = { $with ->
    [year] { DATETIME($date, dateStyle: "long") }
    [year-time] { DATETIME($date, dateStyle: "long") }, { DATETIME($date, timeStyle: "short") }
    [time] { DATETIME($date, day: "numeric", month: "long") }, { DATETIME($date, timeStyle: "short") }
   *[day] { DATETIME($date, day: "numeric", month: "long") }
}
widget-shortcuts = Keys: space plays and pauses, the question mark lists all keys.
widget-settings = Settings
widget-speed = Speed
widget-speed-value = { $speed }×
widget-speed-live = Everybody watches the same moment, so the speed stays at 1×.
widget-quality = Quality
widget-quality-auto = Automatic
widget-quality-auto-now = Automatic ({ $lines }p)
widget-quality-lines = { $lines }p
widget-captions = Captions
widget-captions-off = Off
widget-loop = Order
widget-loop-list = Repeat all
widget-loop-one = Repeat this video
widget-loop-shuffle = Shuffle
widget-loop-live = Everybody watches the same list in its own order.
widget-elsewhere = In other rooms
widget-elsewhere-stop = Stop playing
widget-elsewhere-muted = Keep playing, muted
widget-elsewhere-play = Keep playing
widget-float = Picture in picture
widget-told-speed = Speed { $speed }
widget-told-captions = Captions: { $label }
widget-told-keys-on = Keyboard shortcuts on
widget-told-keys-off = Keyboard shortcuts off
widget-told-announce-on = New videos are said
widget-told-announce-off = New videos are not said
widget-keys = Keyboard shortcuts
widget-keys-list = List of keys
widget-announce = Screen reader: say each new video
widget-keys-hint = They work while the player has the focus. Letters and signs can be switched off in the settings.
widget-key-space = Space
widget-key-play = Play or pause
widget-key-hurry = Hold: twice as fast
widget-key-step = 10 seconds back or forward
widget-key-seek = 5 seconds back or forward
widget-key-share = To a tenth of the video
widget-key-ends = To its start or end
widget-key-video = Previous or next video
widget-key-speed = Slower or faster
widget-key-volume = Volume
widget-key-mute = Mute
widget-key-captions = Captions
widget-key-fullscreen = Full screen
widget-key-help = This list
widget-close = Close
widget-to-list = Skip to the videos

## Members and lists

widget-members = Whose videos to watch
widget-everyone = Everyone
widget-you = You
widget-in-turn = Everyone in turn
widget-in-turn-short = In turn
widget-several = { $count } members in turn
widget-and = {" & "}
widget-choose-several = Choose several members
widget-chosen = { $name }: their videos play in turn
widget-member-videos = { $name }, { $count ->
    [0] no videos yet
    [one] { $count } video
   *[other] { $count } videos
}
widget-list = Videos
widget-list-of = { $own ->
    [yes] Your videos
   *[no] Videos of { $name }
}
widget-count = { $count ->
    [0] No videos yet
    [one] { $count } video
   *[other] { $count } videos
}
widget-play-video = Play { $title }
widget-playing = Playing
widget-paused = Paused
widget-state-queued = Waiting its turn
widget-state-awaited = Waiting for its upload
widget-state-processing = Being prepared
widget-progress = Preparing { $title }
widget-progress-percent = { $percent } %
widget-progress-seconds = { $percent } %, about { $count } s left
widget-progress-minutes = { $percent } %, about { $count } min left
widget-progress-qualities = Sharper: { $progress }
widget-state-failed = Could not be prepared
widget-state-hidden = Hidden
widget-state-held = Not shown to others for now
widget-hidden-by-viewer = Hidden by you
widget-hidden-by-sender = Hidden by its sender
widget-hidden-by-moderator = Hidden by a moderator
widget-held-for-approval = Waiting for approval by a moderator
widget-held-for-reports = Reported: waiting for a moderator
widget-held-for-verdict = Being checked by a detection service
widget-held-for-policy = Held: its sender is on a policy list
widget-held-for-quarantine = In quarantine by this server’s admins
widget-kind-image = Photo
widget-kind-voice = Sound
widget-find = Search videos
widget-found = { $count ->
    [0] Nothing found
    [one] { $count } video found
   *[other] { $count } videos found
}
widget-to-current = Show what plays
widget-spoiler = Spoiler
widget-spoiler-because = Spoiler: { $reason }
widget-spoiler-hint = { $own ->
    [yes] “{ $title }” by you
   *[no] “{ $title }” by { $name }
}
widget-spoiler-show = Show
widget-spoiler-leave = Not now
widget-mark-avatar = Video avatar
widget-mark-published = Public
widget-mark-reported = { $count ->
    [one] { $count } report
   *[other] { $count } reports
}

## Managing videos

widget-more = What to do with { $title }
widget-menu-rename = Rename
widget-menu-hide = Hide from others
widget-menu-review = Review…
widget-menu-show = Show to everyone
widget-menu-approve = Approve
widget-menu-block = Block…
widget-menu-avatar-set = Make it my video avatar
widget-menu-avatar-unset = No longer the video avatar
widget-menu-publish = Publish on my page…
widget-menu-unpublish = Take back from the public page
widget-menu-copy-link = Copy link
widget-menu-move-up = Move up
widget-menu-move-down = Move down
widget-menu-move-top = Move to the top
widget-menu-move-end = Move to the end
widget-menu-report = Report…
widget-menu-dismiss = Dismiss the reports
widget-menu-delete = Delete
widget-title-field = New title of { $title }
widget-title-hint = Enter saves, Esc cancels
widget-renamed = Renamed to { $title }
widget-hidden = { $title } is hidden from others
widget-shown = Everyone sees { $title } now
widget-avatar-set = { $title } is your video avatar now
widget-avatar-unset = { $title } is no longer a video avatar
widget-moved = { $title } is at place { $place } of { $count } now
widget-deleted = “{ $title }” deleted
widget-undo = Undo
widget-restored = { $title } is back
widget-approved = “{ $title }” is shown to everyone now.
widget-rejected = “{ $title }” rejected. Its sender will be told.
widget-blocked = “{ $title }” is taken away, and the same file is not taken again in this room.
widget-queue = For you to decide
widget-queue-waiting = { $count ->
    [one] { $count } waits for approval
   *[other] { $count } wait for approval
}
widget-queue-reported = { $count } reported
widget-review-shown = Everyone sees it
widget-review-preparing = There is nothing to watch yet: it is still being prepared.
widget-review-unseen = It cannot be watched here: its sender hid it, or others than this room’s moderators decide on it.
widget-review-no-reasons = What was said could not be loaded.
widget-review-wordless = No reason given
widget-review-approve = Approve
widget-review-show = Show to everyone
widget-review-dismiss = Dismiss the reports
widget-review-hide = Hide from others
widget-review-reject = Reject…
widget-review-reject-hint = Why? Its sender will read this, if you write anything.
widget-review-reject-confirm = Reject
widget-review-block = Block…
widget-review-block-hint = The video is taken away for good, and the same file and copies of it cannot come into this room again. The reason is kept in the log.
widget-review-block-confirm = Block
widget-review-close = Close
widget-published = “{ $title }” is on your public page.
widget-unpublished = “{ $title }” is no longer public.
widget-reports-dismissed = The reports on { $title } are dismissed
widget-reported = Thank you. The moderators of this room will look at it.
widget-publish-title = Publish “{ $title }”?
widget-publish-hint = Your page is open to anybody on the internet who has its address; they need no account. Only what you publish shows there, with your name and picture. You can take it back at any time.
widget-publish = Publish
widget-address = Address
widget-copy = Copy
widget-copied = Link copied
widget-copy-by-hand = Copy this link
widget-copy-by-hand-hint = Your chat app does not let us copy. The link is selected: press Ctrl+C, or hold it and choose “Copy”.
widget-report-title = Report “{ $title }”
widget-report-hint = What is wrong with it? The moderators of this room will read it.
widget-report-send = Report
widget-cancel = Cancel
widget-unsaved = Not saved yet. We keep trying.
widget-refused-conflict = Somebody else changed “{ $title }” at the same time. Yours was not saved: please look at it again.
widget-refused-forbidden = You may no longer do this with “{ $title }”.
widget-refused-gone = “{ $title }” is no longer there.
widget-refused-late = It is too late: “{ $title }” is gone for good.
widget-refused-server = The server did not accept your change of “{ $title }”.
widget-refused-reject-conflict = “{ $title }” does not wait for a decision any more.
widget-refused-block-conflict = “{ $title }” cannot be blocked yet: its file is not known well enough. Try again in a moment.
widget-refused-order-conflict = Somebody else changed the order at the same time. Please try again.
widget-refused-order-forbidden = You may no longer change this order.
widget-refused-order-gone = These videos are no longer there.
widget-refused-order-late = These videos are no longer there.
widget-refused-order-server = The server did not accept the new order.

## Talking about a video

widget-talk = Comments
widget-talk-close = Back to the videos
widget-talk-react = React
widget-talk-reaction = { $name }: { $count ->
    [one] { $count } person
   *[other] { $count } people
}
widget-talk-replies = Comments on { $title }
widget-talk-none = No comments yet. Be the first.
widget-talk-nothing = Play a video to talk about it.
widget-talk-earlier = Earlier comments
widget-talk-edited = edited
widget-talk-delete = Delete this comment
widget-talk-delete-question = Delete it for everybody?
widget-talk-keep = Keep
widget-talk-write = Comment on { $title }
widget-talk-placeholder = Write a comment…
widget-talk-send = Send
widget-talk-reply-failed = Not sent. Your text is still here: try again.
widget-talk-reply-busy = Not sent: that was a lot at once. Your text is still here: try again in a moment.
widget-talk-reply-refused = Not sent: you may not write in this room. Your text is still here.
widget-talk-not-sent = That could not be sent. Please try again.
widget-talk-not-sent-busy = Not sent: that was a lot at once. Try again in a moment.
widget-talk-not-sent-refused = Not sent: you may not do that in this room.
widget-talk-failed = Comments could not be loaded.
widget-talk-elsewhere = This video was sent in the room that this one replaces. What was said about it is there.
widget-talk-moved = Now playing: { $title }. You are still writing about this one.
widget-talk-over-picture = Show new comments over the picture
widget-talk-unread = { $count ->
    [one] { $count } new comment
   *[other] { $count } new comments
}
widget-talk-missing-see = Comments are messages in this chat. Your chat app does not let Roomreel see them.
widget-talk-missing-react = Your chat app does not let Roomreel see or send reactions.
widget-talk-missing-send = Your chat app does not let Roomreel send messages for you.
widget-talk-read-only = You may read comments in this room, not write any.
widget-by-bot = Roomreel’s bot sends this to the chat, with your name.
widget-talk-before-see = Comments and reactions are messages in this chat. To show them, Roomreel needs your chat app’s permission to see them: it will ask you.
widget-talk-before-send = To send comments as you, Roomreel needs your chat app’s permission: it will ask you. This page loads again for that and comes back here.
widget-talk-continue = Continue
widget-talk-asking = Your chat app is asking you now.
widget-talk-will-ask-send = When you send it, your chat app asks whether Roomreel may send messages as you.
widget-talk-will-ask-react = Your chat app will ask whether Roomreel may see reactions and react as you.
widget-several-yes = Your chat app has kept earlier copies of this page running and would send everything several times, so nothing is sent from here. Reload the app, then it works again. Until then use the chat: videos that you send there play here, and what you reply to a video shows here.
widget-several-perhaps = Your chat app may have kept an earlier copy of this page running; then what you send from here would arrive several times. Reload the app first, or use the chat: videos that you send there play here, and what you reply to a video shows here.
widget-several-anyway = Send from here all the same
widget-talk-ask = Ask me again

## Nothing to see yet

widget-empty-room = The stage is yours
widget-empty-room-hint = Send a video in this chat, and it plays here for everybody.
widget-empty-member = { $name } has not sent a video yet
widget-empty-member-hint = Their videos will play here as soon as they send one in this chat.
widget-empty-moved = This room was upgraded
widget-empty-moved-hint = Its videos play in the new room.
widget-empty-moved-link = Go to the new room
widget-empty-own = You have not sent a video yet
widget-empty-own-hint = Send a video in this chat. It plays here seconds later.
widget-empty-send = Record or send a video
widget-empty-waiting = Next in line
widget-empty-waiting-hint = Other videos are being prepared first. This one starts here by itself.
widget-empty-preparing = Almost there
widget-empty-preparing-hint = The video is being prepared and starts here by itself.
widget-empty-spoilers = Only spoilers so far
widget-empty-spoilers-hint = Choose one in the list. It plays only if you ask for it.
widget-empty-withheld = Nothing is shown yet
widget-empty-withheld-hint = What is here is hidden, or waits for somebody: the list says why.
widget-empty-failed = Nothing to play yet
widget-empty-failed-hint = The list says what went wrong, and what to do about it.
widget-encryption-title = This room is encrypted
widget-encryption-title-off = Videos are off in this encrypted room
widget-encryption-hint = Once they are turned on, this server keeps a playable copy of each video sent from then on, and whoever operates this server can watch it. Until then no new video is kept.
widget-encryption-others = The room's moderators can turn them on.
widget-encryption-unserved = Videos do not play here: this server is not set up for encrypted rooms. Whoever operates it finds in Roomreel's docs/encryption.md how to set it up.
widget-encryption-on = Turn on videos
widget-encryption-on-question = Turn on videos for everybody in this room? A playable copy is kept of each one sent from now on, and whoever operates this server can watch it.
widget-encryption-on-sure = Turn on videos for everybody in this room?
widget-encryption-on-confirm = Turn on
widget-encryption-kept = Videos turned on by { $name }, { DATETIME($at, dateStyle: "medium") }: this server keeps playable copies
widget-encryption-kept-since = Videos have been on since { DATETIME($at, dateStyle: "medium") }: this server keeps playable copies
widget-encryption-not-kept = Videos are off in this encrypted room: new ones do not play here.
widget-encryption-not-kept-others = Videos are off in this encrypted room: new ones do not play here. The room's moderators can turn them on.
widget-encryption-not-kept-unserved = New videos do not play here: this room is encrypted, and this server is not set up for that.
widget-encryption-off = Turn off videos
widget-encryption-off-question = Turn off videos for everybody in this room? The copies of all that were sent so far are erased. Their messages stay in the chat. This cannot be undone.
widget-encryption-off-confirm = Erase and turn off
widget-encryption-failed = That did not work. Please try again.

## Trouble

widget-loading = Loading the videos of this room…
widget-loading-more = Loading more…
widget-loading-failed = The rest could not be loaded.
widget-searching = Searching all videos…
widget-asking = Videos are for members of this room: your chat app may ask whether Roomreel may know who you are. Please choose “Continue” there.
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
widget-error-busy = The server is busy
widget-error-busy-hint = It asks everybody to wait for a moment. We try again by ourselves.
widget-error-no-room = This link names no room
widget-error-no-room-hint = Ask a moderator to add the Roomreel widget again: invite the bot, and it sets everything up.
widget-error-unsupported = This browser cannot play these videos
widget-error-unsupported-hint = Please update the browser or the chat app, or use another one.

## Recording and sending a video

widget-record = Record or send a video
widget-record-recording = Recording: back to it
widget-record-draft = An unsent video: back to it
widget-record-sending = Sending your video
widget-record-failed = Your video was not sent: see why
widget-record-ready = Ready to record
widget-record-review = Look it over
widget-record-sent-title = Sent
widget-record-close = Close
widget-record-camera = Camera
widget-record-screen = Screen
widget-record-file = Choose a file
widget-record-private = Nobody sees it before you send it.
widget-record-drop-hint = Or drop a video here. { widget-record-private }
widget-record-drop = Drop the video here
widget-record-asking = Your browser is asking for permission…
widget-record-live = What will be recorded
widget-record-start = Start recording
widget-record-skip = Start now
widget-record-stop = Stop and look it over
widget-record-pause = Pause recording
widget-record-resume = Go on recording
widget-record-mute = Mute microphone
widget-record-flip = Other camera
widget-record-devices = Camera and microphone
widget-record-device-camera = Camera
widget-record-device-microphone = Microphone
widget-record-with-microphone = Record my microphone, too
widget-record-name = Recording { $date }
widget-record-discard = Discard
widget-record-discard-question = Discard this video? It cannot be brought back.
widget-record-keep = Keep
widget-record-preview = Your video
widget-record-no-preview = This browser cannot show this kind of video. You can send it all the same.
widget-record-trim = Part to send
widget-record-trim-start = Start
widget-record-trim-end = End
widget-record-trim-length = { $length } selected
widget-record-longest = A video here may be { $length } long: choose the part to send.
widget-record-longest-edit = A video here may be { $length } long. Yours is still here: edit it to send a part, or save a copy.
widget-record-caption = Caption (optional)
widget-record-send = Send
widget-record-edit = Edit
widget-record-done = done
widget-record-save = Save a copy
widget-record-step-upload = Uploading
widget-record-step-prepare = Preparing
widget-record-step-post = Sending to the room
widget-record-before = To send videos as you, Roomreel needs your chat app’s permission: it will ask you. This page loads again for that and comes back here.
widget-record-declined = Your chat app does not let Roomreel send videos for you.
widget-record-will-ask = When you send it, your chat app asks whether Roomreel may send videos as you.
widget-record-sending-hint = You can close this and go on watching. It is sent meanwhile.
widget-record-sent-hint = Your video is in the chat. It plays here in a moment.
widget-record-sent-ready = Your video is in the chat and plays here now.
widget-record-watch = Watch it
widget-record-again = Send another one
widget-record-finished = Done
widget-record-lost = No connection. Nothing is lost: the upload goes on by itself as soon as it is back.
widget-record-waits = The server is busy and asks us to wait. Nothing is lost: the upload goes on by itself.
widget-record-resumed = Connected again. The upload goes on.
widget-record-said-live = Ready to record.
widget-record-said-recording = Recording.
widget-record-said-paused = Recording paused.
widget-record-said-review = Your video is { $length } long. Trim it, add a caption, or send it.
widget-record-way-out = Or choose a file that you recorded with another app.
widget-record-problem-denied = No permission.
widget-record-problem-denied-hint = Allow camera and microphone for this page in the browser’s settings, then try again.
widget-record-problem-blocked = Your chat app does not let widgets record.
widget-record-problem-blocked-hint = Only the app itself can change that.
widget-record-problem-missing = No camera found.
widget-record-problem-missing-hint = Connect one and try again.
widget-record-problem-busy = The camera is in use.
widget-record-problem-busy-hint = Close the app that uses it, for example a call, and try again.
widget-record-problem-insecure = Recording needs a secure connection.
widget-record-problem-insecure-hint = This page was opened without HTTPS.
widget-record-problem-unsupported = This browser cannot record that.
widget-record-problem-unsupported-hint = A newer browser can.
widget-record-problem-broken = Recording does not work here.
widget-record-problem-broken-hint = Try again, or take another camera.
widget-record-problem-not-a-video = This file is not a video.
widget-record-problem-not-a-video-hint = Choose an MP4, MOV, WebM or MKV file.
widget-record-problem-empty = This file is empty.
widget-record-problem-empty-hint = Choose another one.
widget-record-problem-too-large = This file is too large for this server.
widget-record-problem-too-large-hint = Choose a shorter or smaller video.
widget-record-problem-nothing = Nothing was recorded.
widget-record-problem-nothing-hint = Try again, and record for a second at least.
widget-record-problem-kept = There is a video already.
widget-record-problem-kept-hint = Send or discard it first, then choose the other one.
widget-record-problem-permission = Your chat app has to allow that first.
widget-record-problem-permission-hint = Choose the video again afterwards.
widget-record-failed-upload = The upload did not work. Your video is still here: please try again.
widget-record-failed-refused = The server does not accept videos from you in this room. Your video is still here; ask a moderator.
widget-record-failed-unavailable = This server does not take videos from here yet. Save a copy and send it in the chat.
widget-record-failed-too-large = The video is too large for this server. Go back and shorten it before you record anew.
widget-record-failed-busy = You have several uploads under way. Finish or discard one of them, or try again in a few minutes.
widget-record-failed-full = The server has no room at the moment. Your video is still here: please try again later.
widget-record-failed-user-limit = You have as many videos here as one person may have. Yours is still here: delete some others, then try again.
widget-record-failed-room-limit = This room has as many videos as it may have. Yours is still here: delete others, or ask a moderator to, then try again.
widget-record-failed-post = The video is ready, but the message could not be sent. Please try again.
widget-record-failed-declined = Your chat app was not allowed to send it. Try again and allow it, or save a copy and send it in the chat.
widget-record-failed-several = Your chat app may send the video several times, so it was not sent. Go back to see what to do; your video is still here.

## Signing in a browser by itself

widget-sign-in = Watch in this browser
widget-sign-in-hint = Send this message in the room from any Matrix app, and this page goes on by itself as you. Send only a code that you see on your own screen: whoever's screen shows it will watch, write and send in your name.
widget-sign-in-message = Message to send
widget-sign-in-copy = Copy message
widget-sign-in-copied = Copied
widget-sign-in-waiting = Waiting for your message…
widget-sign-in-renewed = This is a new code: the last one is used up or was too old.
widget-sign-out = Sign out of this browser

## A member's public page

page-title = Videos of { $name }
page-count = { $count ->
    [one] { $count } video
   *[other] { $count } videos
}
page-date = { DATETIME($date, dateStyle: "long") }
page-untitled = Video
page-pages = Pages
page-previous = Previous
page-next = Next
page-number = Page { $number } of { $pages }
page-more = Show more
page-no-script = Roomreel needs JavaScript to play the videos of this room.
page-missing = There is nothing here
page-missing-hint = Nobody shows videos under this address. They may have been taken back, or the address may be mistyped.
page-export-gone = This link has ended
page-export-gone-hint = A link to your videos and data holds for a day, and ends earlier when one of your videos is deleted or you ask for a new one. Write “export” to the bot, and it sends you another.

## Why a video, photo or sound could not be prepared, and what its sender can do

# What was sent, in the middle of a sentence. Its kind is told by those who say the messages that it is part of.
thing = { $kind ->
    [image] photo
    [voice] sound
   *[video] video
}

failure-empty-file = The file is empty. Please send the { thing } again.
failure-not-a-video = This file is not a video. Send it as MP4, MOV, WebM or MKV.
failure-not-a-picture = This file is not a picture that we know. Send it as JPEG, PNG, WebP, GIF, HEIC or AVIF.
failure-not-a-sound = This file is not a sound that we know. Send it as Ogg, M4A, MP3, WAV or FLAC.
failure-broken-file = The file is damaged or was not sent completely. Please send it again.
failure-no-decoder = { $kind ->
    [image] The photo is in a format that this server does not read. Save it as JPEG or PNG, and send it again.
    [voice] The sound is in a format that this server does not play. Save it as M4A, MP3 or Ogg, and send it again.
   *[video] The video is in a format that this server does not play. Save it as MP4 with H.264, as nearly every app can, and send it again.
}
failure-too-long = The { thing } is too long for this room. Send a shorter one.
failure-too-large-picture = { $kind ->
    [image] The photo is too large. Save it with fewer pixels, and send it again.
   *[video] The picture is too large. Send it with a smaller resolution, for example 4K or 1080p.
}
failure-too-high-frame-rate = The { thing } has too many pictures a second. Save it with 60 or fewer, and send it again.
failure-too-many-streams = The file holds too many tracks. { $kind ->
    [voice] Save it with one, and send it again.
   *[video] Save it with one picture and one sound track, and send it again.
}
failure-took-too-long = Preparing the { thing } took too long. { $kind ->
    [image] Try a smaller one.
    [voice] Try a shorter one.
   *[video] Try a shorter or smaller one.
}
failure-tool-missing = The server is not set up to prepare what is sent. Please tell whoever runs it.
failure-failed = Something went wrong while preparing the { thing }. Please send it again.
failure-media-gone = Your homeserver no longer has the file. Please send the { thing } again.
failure-never-uploaded = The file was announced, but never uploaded completely. Please send the { thing } again.
failure-media-too-large = The file is larger than this server accepts. Send a smaller one.
failure-download-failed = The file could not be fetched from your homeserver. Please send it again later.
failure-hash-mismatch = The file was changed on its way and was not used. Please send it again; if that does not help, tell whoever runs your homeserver.
failure-encrypted-file = Your app did not say how this encrypted file is opened. Please send it again, if need be with another app.
failure-room-encrypted = This room is encrypted, and its moderators have not allowed this server to keep copies of what is sent here. Save a copy and send it in the chat, or try again once they have.
failure-blocked = This { thing } is blocked, by the moderators of this room or by the admins of this server. It was not taken.
failure-quota-user = You have as many videos here as one person may have. Delete some of yours (“mine” lists them), and send it again.
failure-quota-room = This room has as many videos as it may have. Delete some of yours, or ask a moderator to, and send it again.
failure-quota-server = This server has no room for more videos at the moment. Send it again later, or tell whoever runs the server.
failure-disk-full = The server’s disk is full. Please send the { thing } again later, or tell whoever runs the server.
failure-overloaded = The server was too busy for this { thing }, again and again. Please send it again later.
failure-internal = The server made a mistake. Please send the { thing } again; if it stays, tell whoever runs the server.

## What of a video's sound could not be taken

audio-no-decoder = Plays without sound: it is in a format that is not known here.
audio-encrypted = Plays without sound: it is encrypted.
audio-damaged = Plays without sound: it is damaged.
audio-too-many-channels = Plays without sound: it has too many channels.
audio-some-tracks = Plays with some of its sound: not every track can be played.
audio-parts = Some sound is missing: parts of it are damaged.

## What the bot says in the room

bot-declined = I may not serve you here: ask the operator of this server to let you use me.
bot-key-missing = I have no key to this message, so I cannot read it. If it was a video or a command, please send it again.
bot-key-withheld = Your client refused me the key to this message, so I cannot read it. Verify me, or allow unverified devices in this room, and send it again.
bot-verification-declined = I have no screen on which emoji could be compared. Who runs this service can verify me: they see the emoji in its log.
bot-welcome = This room has a screen now. Send a video in the chat and it plays in the room's widget; everybody's videos play in order and start over. To watch, open the room's “Roomreel” widget, for example in Element on a computer; on a phone, open { $link }
bot-needs-power = I have no permission to put the video screen into this room. Give { $bot } power level { $level }: send { $step } here. Or lower the level for “Modify widgets” in the room's settings. I will try again by myself.
bot-needs-moderator = I have no permission to put the video screen into this room. Make me a “Moderator” in the list of the room's members, or send { $step } here. Or lower the level for “Modify widgets” in the room's settings. I will try again by myself.
bot-needs-admin = I have no permission to put the video screen into this room. Make me an “Admin” in the list of the room's members, or send { $step } here. Or lower the level for “Modify widgets” in the room's settings. I will try again by myself.
bot-encrypted = This room is encrypted, and by inviting me you let me read what is sent here, so that I understand commands to me; your client may have given me the keys of older messages with the invitation. If videos are turned on here, this service keeps a playable copy of each video sent from then on, and whoever operates this server can watch it. Until then no video is kept: to turn them on, a moderator sends { $command } here, or presses the button in the “Roomreel” widget.
bot-encrypted-direct = This chat is encrypted, and by inviting me you let me read what is sent here, so that I understand commands to me; your client may have given me the keys of older messages with the invitation. If videos are turned on here, this service keeps a playable copy of each video sent from then on, and whoever operates this server can watch it. Until then no video is kept: to turn them on, send { $command } here, or press the button in the “Roomreel” widget.
bot-encrypted-since = This room is encrypted now. The videos that are here stay, and play on in the widget; of new ones this service would have to keep a playable copy, which whoever operates this server can watch. Until somebody agrees to that, no new video is kept: to turn them on, a moderator sends { $command } here, or presses the button in the “Roomreel” widget.
bot-opted-in = { $user } turned on videos in this encrypted room ({ $when }): from now on this service keeps a playable copy of each video sent here, and whoever operates this server can watch it. To turn them off and erase all copies, a moderator sends { $command }
bot-opted-in-before = { $people }: in this encrypted room { $user } turned on videos ({ $when }). This service keeps a playable copy of each video sent here, and whoever operates this server can watch it.
bot-opted-in-still = In the encrypted room that this one replaces, { $user } turned on videos ({ $when }), and so they are on here: this service keeps a playable copy of each video sent here, and whoever operates this server can watch it.
bot-opted-out = { $user } turned off videos in this encrypted room ({ $when }): { $count ->
    [0] no copy of a video is kept here
    [one] the copy of one video that was kept here is erased
   *[other] the copies of { $count } videos that were kept here are erased
}, and no new one is kept. The messages themselves stay. To turn them on again, a moderator sends { $command }
bot-unserved = This room is encrypted, and this server is not set up for that: I cannot see what is sent here, I put no screen here, and videos that you send here do not play. Whoever operates this server finds in Roomreel's docs/encryption.md how to set it up; then I come back to it here. Until then: make a room without encryption and invite me there (in Element: “New room”, then switch off “Enable end-to-end encryption”; later it cannot be switched off).
bot-unserved-direct = This chat is encrypted, and this server is not set up for that: I do not understand what you write here, and videos that you send here do not play. Whoever operates this server finds in Roomreel's docs/encryption.md how to set it up; then I come back to it here. Until then: make a room without encryption and invite me there (in Element: “New room”, then switch off “Enable end-to-end encryption”; later it cannot be switched off).
bot-unserved-since = This room is encrypted now, and this server is not set up for that. The videos that are here stay, and play on in the widget; new ones do not come to it. Whoever operates this server finds in Roomreel's docs/encryption.md how to set it up; then I come back to it here. Until then, for new ones: make a room without encryption and invite me there (in Element: “New room”, then switch off “Enable end-to-end encryption”; later it cannot be switched off).
bot-left-behind = This room is not encrypted, and the one before was: its videos stay there, and members watch them in its widget. They come along once this room is encrypted as well.
bot-failed = “{ $title }” cannot be shown. { $reason }
bot-edit-failed = What you put in place of “{ $title }” cannot be shown: the old one plays on. { $reason }
bot-audio = “{ $title }”: { $reason } To have all of it heard, save the video with AAC sound and send it again.
bot-mended = “{ $title }” plays now.
bot-untitled = Your { thing }
bot-signed-in = Signed in: a browser ({ $browser }) can now watch this room as { $user }, and comment, react and send videos in their name, for 30 days. If that is not your own browser, or to end it, send { $command }
bot-some-browser = of unknown kind
bot-signed-out = { $count ->
    [0] No browser was signed in as { $user }.
    [one] One browser that was signed in as { $user } is signed out.
   *[other] { $count } browsers that were signed in as { $user } are signed out.
}
bot-wrong-code = This code is wrong, was used already, or is too old. Nobody was signed in. Take the code that the browser shows now, and send it in the room that it was asked for.
bot-too-many-codes = Too many wrong codes. Nobody was signed in, and codes from you do not count for ten minutes.

## What the bot answers to commands

bot-help = Send me a video in this room, and it plays in the room's widget. Besides, I understand:
bot-help-videos = VIDEO is a number of your list (as in { $own }), of another's (as in { $others }), or an id (as in { $id }). Leave it out when you reply to a video's message.
bot-help-help = what I understand
bot-usage-help = help [COMMAND]
bot-help-version = which release I am
bot-usage-version = version
bot-version = Roomreel { $version }
bot-unknown = I do not know this command.
bot-unknown-nearest = I do not know “{ $name }”. Did you mean “{ $meant }”?
bot-see-help = { $command } lists all that I understand.
bot-wrong-word = “{ $word }” does not fit here. It is written like this:
bot-missing-word = Something is missing. It is written like this:
bot-interrupted = I was interrupted in the middle of this. Look whether it was done, and ask again if not.
bot-not-alone = Somebody else has come into this room, or may: what you asked for is not for them. Ask me where we are alone.
bot-only-moderators = Only the room's moderators may do this.
bot-forbidden = You may not do this with that video.
bot-never-public = This video is encrypted on this server, so it cannot be shown on a public page.
bot-not-found = There is no such video.
bot-conflict = Somebody changed it in the meantime. Look at it again, then repeat.
bot-too-late = It is too late: the video is gone.
bot-refused = This cannot be done: { $reason }
bot-no-such-id = I know no video #{ $id } in your rooms.
bot-id-too-short = There is more than one video whose id begins with #{ $id }. Write more of it.
bot-no-such-number = There is no video { $number }: the list has { $count ->
    [0] no videos
    [one] one video
   *[other] { $count } videos
}.
bot-which-video = Which video? Give its number or its id, or reply to its message.
bot-several-videos = That message brought several videos. Call the one that you mean by its id: { $ids }.
bot-video = Video
bot-camera-time = { $date }, { $time }
bot-camera-time-utc = { $date }, { $time } UTC
bot-state-queued = waiting its turn
bot-state-awaited = waiting for its upload
bot-state-processing = being prepared
bot-state-playable = playable, being sharpened
bot-state-ready = ready
bot-state-failed = could not be prepared
bot-visibility-hidden = hidden
bot-visibility-held = waiting for a moderator
bot-mark-audio = sound missing
bot-mark-published = public
bot-next-page = More: { $command }
bot-help-list = the members and their videos, or the videos of one member
bot-usage-list = list [@USER] [PAGE]
bot-list = { $count ->
    [0] There are no videos yet. Send one, and it plays in the widget.
    [one] One video in this room:
   *[other] { $count } videos in this room:
}
bot-list-line = { $name }: { $count ->
    [one] one video
   *[other] { $count } videos
}
bot-list-more = The videos of one member: { $command }
bot-list-of = { $count ->
    [0] { $user } has no videos here.
    [one] One video of { $user }:
   *[other] { $count } videos of { $user }:
}
bot-list-rooms = { $count ->
    [0] You have no videos yet. Send one in a room that I am in.
    [one] You have one video:
   *[other] You have { $count } videos:
}
bot-help-mine = your own videos, with their numbers
bot-usage-mine = mine [PAGE]
bot-mine = { $count ->
    [0] You have no videos yet. Send one, and it plays in the widget.
    [one] Your video:
   *[other] Your { $count } videos:
}
bot-help-play = a link to watch a video, or the room
bot-usage-play = play [VIDEO]
bot-link-room = Watch this room: { $link }
bot-link = Watch “{ $title }”: { $link }
bot-link-public = On the public page: { $link }
bot-help-rename = give a video another title
bot-usage-rename = rename VIDEO TITLE
bot-renamed = “{ $before }” is called “{ $title }” now.
bot-title-too-long = A title has from one to { $most } characters.
bot-help-move = put a video at another place of its reel
bot-usage-move = move VIDEO PLACE|up|down|first|last
bot-moved = “{ $title }” is at place { $place } of { $count } now.
bot-order-by-moderators = In this room only moderators put videos in order.
bot-help-hide = hide a video from the others
bot-usage-hide = hide VIDEO
bot-hidden = “{ $title }” is hidden from the others now.
bot-help-show = show a hidden video again
bot-usage-show = show VIDEO
bot-shown = Everybody in the room sees “{ $title }” again.
bot-shown-waits = “{ $title }” is not hidden any more. The others see it once a moderator has approved what you put in it.
bot-help-delete = delete a video for good
bot-usage-delete = delete VIDEO
bot-deleted = “{ $title }” is deleted.
bot-deleted-undo = You can take that back within { $seconds } seconds: { $command }
bot-help-undelete = bring back what you have just deleted
bot-usage-undelete = undelete
bot-restored = “{ $title }” is back.
bot-nothing-to-undelete = There is nothing that could be brought back: you deleted nothing in the last seconds.
bot-help-avatar = make a video your avatar in the widget, or no longer
bot-usage-avatar = avatar VIDEO|off
bot-avatar-on = “{ $title }” is your video avatar now.
bot-avatar-off = “{ $title }” is no longer your video avatar.
bot-no-avatar = You have no video avatar in this room.
bot-in-the-room = Please say this in the room that it is about.
bot-help-publish = show a video to everybody, on your public page
bot-usage-publish = publish VIDEO
bot-published = Everybody who has the link can see “{ $title }” now: { $link }
bot-help-unpublish = take a video back from your public page
bot-usage-unpublish = unpublish VIDEO
bot-unpublished = “{ $title }” is no longer on your public page.
bot-help-report = tell the moderators that something is wrong with a video
bot-usage-report = report VIDEO [REASON]
bot-reported = Thank you. The moderators will look at “{ $title }”.
bot-report-own = This is your own video: delete it, rather than report it.
bot-help-settings = what you choose for yourself
bot-usage-settings = settings [NAME VALUE|default]
bot-settings = Your settings:
bot-settings-how = To change one: { $command }
bot-setting-language = the language in which I speak to you: en, zh or zh-TW
bot-setting-add = whether videos that you send join your reels: on or off
bot-setting-on-leave = what becomes of your videos where you leave: keep or erase
bot-setting-changed = { $name } is { $value } now.
bot-redacted = The video was deleted.
bot-help-quota = show how much you have here, and how much you may have
bot-usage-quota = quota
bot-quota = Used so far:
bot-quota-user = You, in all rooms: { $videos }, { $size }
bot-quota-room = This room: { $videos }, { $size }
bot-quota-server = This server: { $videos }, { $size }
bot-quota-videos = { $count } of { $most } videos
bot-quota-videos-any = { $count ->
    [one] { $count } video (no limit)
   *[other] { $count } videos (no limit)
}
bot-quota-size = { $size } of { $most } MiB
bot-quota-size-any = { $size } MiB (no limit)
bot-quota-near-user = You have used { $percent } % of what one person may have here. Delete videos that you no longer need, so that new ones are taken; { $command } shows how much it is.
bot-quota-near-room = This room has used { $percent } % of what it may have. Delete videos that nobody needs, so that new ones are taken; { $command } shows how much it is.
bot-notice-quota = { $percent } % of what this server may hold is used (limits.server in the configuration). At 100 % no more videos are taken.
bot-help-export = get a zip of your videos and of what I keep of you
bot-usage-export = export
bot-export-here = I am putting your videos and data together. The link comes here when they are ready.
bot-export-there = I am putting your videos and data together. The link comes in a chat with me alone when they are ready.
bot-export-awaited = I am still putting your videos and data together. Please wait for the link.
bot-export-ready = Your videos and data are ready ({ $size } MiB): { $link } The link holds for { $hours } hours, and ends when one of your videos is deleted. Give it to nobody: whoever has it can fetch them.
bot-export-disk-full = The server’s disk is too full to put your videos and data together. Nothing is lost: please ask again later, or tell whoever runs the server.
bot-export-failed = Your videos and data could not be put together. Please ask again later; if it stays so, tell whoever runs the server.
bot-export-no-keys = Your videos and data are ready, but some of them are from encrypted rooms, and none of your devices can read encrypted messages: their link is not sent without encryption. Sign in with a client that can, such as Element, and ask again.
bot-export-unserved = Your videos and data are ready, but some of them are from encrypted rooms, and this server cannot encrypt messages at present: their link is not sent without encryption. Please tell whoever runs the server, and ask again once that is mended.
bot-help-forget-me = erase all your videos and everything else that I keep of you, everywhere
bot-usage-forget-me = forget-me [yes]
bot-forget-sure = This deletes { $count ->
    [0] all that I keep of you
    [one] your one video and all else that I keep of you
   *[other] all your { $count } videos and all else that I keep of you
}, in every room, with the messages that brought the videos. It cannot be undone. To do it:
bot-forgotten = Done. { $count ->
    [0] Everything that I kept of you is gone.
    [one] Your video and everything else that I kept of you is gone.
   *[other] Your { $count } videos and everything else that I kept of you are gone.
}

## What moderators ask, and what the bot asks them

bot-help-queue = the videos that wait for a decision
bot-usage-queue = queue [PAGE]
bot-help-approve = show a video that waits
bot-usage-approve = approve VIDEO
bot-help-reject = take away a video that waits, and tell its sender why
bot-usage-reject = reject VIDEO [REASON]
bot-help-remove = take away anybody's video; the reason is kept in the log
bot-usage-remove = remove VIDEO [REASON]
bot-help-block = take away a video, and let the same file not come again
bot-usage-block = block VIDEO [REASON]
bot-help-unblock = let a blocked file come again
bot-usage-unblock = unblock #ID
bot-help-blocks = the files that are blocked
bot-usage-blocks = blocks [PAGE]
bot-help-reports = what members said against videos
bot-usage-reports = reports [PAGE]
bot-help-dismiss = forget what was said against a video; if it waits because of that, it is shown again
bot-usage-dismiss = dismiss VIDEO
bot-help-room = the room's settings: all, one of them, or a new value
bot-usage-room = room [!ROOM] [SETTING] [VALUE]
bot-help-enable = keep playable copies of the videos sent to this encrypted room
bot-usage-enable = enable
bot-help-disable = keep none any more, and erase all that there are
bot-usage-disable = disable [yes]
bot-not-encrypted = This room is not encrypted: videos play here without that.
bot-unserved-command = This server is not set up for encrypted rooms. Whoever operates it finds in Roomreel's docs/encryption.md how to set it up.
bot-enabled-before = Videos are on here already: { $user } turned them on ({ $when }).
bot-disable-sure = This erases { $count ->
    [0] all that is kept of this room's videos
    [one] the copy of this room's one video and all else that is kept of it
   *[other] the copies of all { $count } videos of this room and all else that is kept of them
}; no new ones are kept. The messages themselves stay. It cannot be undone. To do it:
bot-moderates-nothing = You moderate no room in which I am.
bot-queue = { $count ->
    [one] One video waits for a decision:
   *[other] { $count } videos wait for a decision:
}
bot-queue-empty = No video waits for a decision.
bot-queue-how = To decide, send for example { $approve } – or “reject” and a reason.
bot-queue-line = { $id } “{ $title }” by { $sender }, { $length }: { $why }
bot-held-for-approval = waits for approval
bot-held-for-reports = { $count ->
    [0] was reported
    [one] was reported by one member
   *[other] was reported by { $count } members
}
bot-held-for-policy = its sender is on a policy list; moderators cannot release it
bot-held-for-verdict = is being examined; moderators cannot release it
bot-held-for-quarantine = was put in quarantine by an admin; moderators cannot release it
bot-in-room = { $text } (in { $room })
bot-because = { $text }: { $reason }
bot-with-reason = { $text } The reason: { $reason }
bot-not-said-here = Of videos of encrypted rooms I say nothing here, where nothing is encrypted: ask me in those rooms.
bot-held-by-others = Moderators cannot decide on this video: the operators of this server hold it. “remove” takes it away for good.
bot-not-waiting = This video does not wait for a decision.
bot-approved = “{ $title }” is shown now.
bot-rejects = “{ $title }” is taken away, and its sender will be told.
bot-removes = “{ $title }” is taken away.
bot-rejected = A moderator did not accept your video “{ $title }”.
bot-judged = Your video “{ $title }” was not accepted by the check of this server.
bot-blocks = “{ $title }” is taken away, and the same file is not taken again. { $count ->
    [one] It was here once.
   *[other] It was here { $count } times.
}
bot-cannot-block = I do not know enough of this video's file to block it. If it was just sent, try again in a moment; else take it away with { $command }
bot-no-blocks = Nothing is blocked.
bot-blocked = { $count ->
    [one] One file is blocked:
   *[other] { $count } files are blocked:
}
bot-blocked-line = { $id }, by { $user } on { $day }
bot-unblock-how = To let one come again, send for example { $command }
bot-unblocked = This file may come again. Videos that were taken away do not come back by themselves: send them anew.
bot-no-such-block = No file whose id begins with #{ $id } is blocked.
bot-block-too-short = More than one blocked file's id begins with #{ $id }. Write more of it.
bot-reports = { $count ->
    [one] One video was reported:
   *[other] { $count } videos were reported:
}
bot-no-reports = No video was reported.
bot-reports-line = { $id } “{ $title }” by { $sender }, { $count ->
    [one] one report
   *[other] { $count } reports
}
bot-reports-how = { $dismiss } if there is nothing wrong, { $remove } if there is.
bot-reports-alone = What was said I tell in a conversation with me alone, not before everybody.
bot-not-reported = Nobody reported this video.
bot-dismissed = What was said against “{ $title }” is forgotten.
bot-moderators-add = Your video stays in the chat, but it does not play in the widget: in this room only moderators add videos. Ask one of them if that should be otherwise.
bot-longest = Here a { thing } may be { $length } long (minutes:seconds).
bot-post-asks = { $sender } sent the video above ({ $length }) to “{ $room }”.
bot-post-asks-unseen = { $sender } sent a video ({ $length }) to “{ $room }”.
bot-post-spoiler = It is marked as a spoiler, so its picture is not shown here: open the room’s widget to see it.
bot-post-spoiler-because = It is marked as a spoiler (“{ $reason }”), so its picture is not shown here: open the room’s widget to see it.
bot-post-reported = { $count ->
    [one] One member reported it.
   *[other] { $count } members reported it.
}
bot-post-how = React with { $yes } to show it or with { $no } to take it away. Or send { $approve } or { $reject } and a reason.
bot-post-approved = ✅ { $user } approved it.
bot-post-rejected = ❌ { $user } rejected it.
bot-post-blocked = ❌ { $user } blocked it.
bot-post-deleted = ❌ { $user } took it away.
bot-post-gone = It was taken back: there is nothing to decide any more.
bot-post-settled = There is nothing to decide any more.

## The settings of a room

bot-room = The settings of “{ $room }”:
bot-room-how = To change one, send its name and a new value, for example { $command } – “default” sets it back.
bot-which-room = Which room? Begin with one of these:
    { $rooms }
bot-no-such-room = I know no such room, or you are not in it.
bot-no-such-setting = There is no setting “{ $name }”. There are: { $names }
bot-no-such-setting-nearest = There is no setting “{ $name }”. Did you mean “{ $meant }”?
bot-wrong-value = “{ $value }” does not fit { $name }. It says { $meaning }
bot-longer-than-server = This server takes videos of at most { $most } seconds. Choose that or less.
bot-set = { $name } is { $value } now in “{ $room }”.
bot-moderators-room-same = Choose another room: everybody in this one would see what waits.
bot-moderators-room-unknown = You and I must both be in that room. Invite { $bot } there first, then repeat this.
bot-moderators-room-others = You do not moderate that room: only its own moderators can have it asked for decisions.
bot-moderators-room-open = Anybody may come into that room, or read it: choose one for invited people, whose history guests cannot read.
bot-moderators-room-chosen = { $user } chose this room for decisions on videos of { $room }: I ask here about what waits there. Who moderates that room can choose another: { $command }.
bot-moderators-room-encrypted = That room is encrypted, and this server is not set up to write there (Roomreel's docs/encryption.md says how). Choose one without encryption.
bot-moderators-room-not-encrypted = This room is encrypted, and that one is not: what waits here would be readable there. Choose an encrypted one.
bot-room-setting-language = in which language I speak: en, zh or zh-TW
bot-room-setting-add = who may add videos: members or moderators
bot-room-setting-hold = whose videos wait for a moderator: off (nobody's), new (of members whose videos were never shown here) or all (but moderators')
bot-room-setting-order = who puts a member's videos in order: members or moderators
bot-room-setting-pin = whether I pin the widget when I place it: on or off
bot-room-setting-max-length = how many seconds a video may play: a number up to 86400; default: as many as the server allows
bot-room-setting-images = whether pictures join the reels: on or off
bot-room-setting-image-seconds = how many seconds a picture is shown: 1 to 60
bot-room-setting-voice = whether voice messages and other sound join the reels: on or off
bot-room-setting-stickers = whether stickers and GIFs join the reels: on or off
bot-room-setting-history = how many messages of before I came I look through for videos: 0 to 1000
bot-room-setting-status = how I say how far a video is: reactions, failures (only when one failed) or off
bot-room-setting-moderators-room = the id of the room in which I ask for decisions; off: moderators ask me with “queue”
bot-room-setting-report-limit = how many reports make a video wait for a moderator: 1 to 100; 0: never
bot-room-setting-on-leave = what becomes of the videos of a member who leaves: keep or erase
bot-help-status = how this installation is doing now
bot-usage-status = status
bot-status = Roomreel { $version }: { $count ->
    [one] one video
   *[other] { $count } videos
} in { $rooms ->
    [one] one room
   *[other] { $rooms } rooms
}.
bot-status-held = held back: { $count }, of these in quarantine: { $quarantined }
bot-status-work = { $id } in { $room } is being prepared: { $percent } %
bot-status-disk = disk: { $free } of { $total } are free
bot-status-disk-low = The disk is nearly full: make room, or give Roomreel a larger one.
bot-help-stats = numbers: files, people, failures by reason, jobs that wait
bot-usage-stats = stats
bot-stats = { $count ->
    [0] There are no videos yet.
    [one] One video:
   *[other] { $count } videos:
}
bot-stats-files = { $size } on the disk, { $length } to watch
bot-stats-people = senders: { $users }, rooms: { $rooms }
bot-stats-failed = failed, { $code }: { $count } – { $reason }
bot-stats-queue = jobs “{ $job }”: { $waiting } waiting, { $work } under way
bot-stats-oldest = the oldest is due for { $seconds } s
bot-stats-idle = no jobs are waiting
bot-help-rooms = the rooms that I am in, the largest first
bot-usage-rooms = rooms [PAGE]
bot-rooms = { $count ->
    [0] I am in no room yet. Invite me to one.
    [one] I am in one room:
   *[other] I am in { $count } rooms:
}
bot-rooms-line = { $name } · members: { $members } · videos: { $count } · { $size }
bot-rooms-encrypted = encrypted
bot-rooms-invited = invited, not joined yet
bot-help-users = who has videos, the largest first
bot-usage-users = users [PAGE]
bot-users = { $count ->
    [0] Nobody has a video yet.
    [one] One person:
   *[other] { $count } people:
}
bot-users-line = { $user } · videos: { $count } · rooms: { $rooms } · { $size }
bot-users-quarantined = in quarantine
bot-users-blocked = blocked by the configuration
bot-users-admin = admin
bot-no-such-page = There is no page { $page }.
bot-no-such-id-anywhere = I know no video #{ $id }.
bot-help-requeue = give a failed video a new start
bot-usage-requeue = requeue #ID
bot-requeued = { $id } is tried again.
bot-not-failed = { $id } has not failed: there is nothing to try again.
bot-help-quarantine = keep a video, or all that somebody sends, from everybody until you release it; alone: the list
bot-usage-quarantine = quarantine [#ID|@USER [REASON]]|[PAGE]
bot-quarantined = { $id } of { $user } in { $room } is in quarantine: nobody can watch it, and the room's moderators cannot show it.
bot-quarantined-user = { $user } is in quarantine: { $count ->
    [0] whatever they send is kept from everybody
    [one] one video, and whatever they send, is kept from everybody
   *[other] { $count } videos, and whatever they send, are kept from everybody
}.
bot-video-in-quarantine = { $id } is in quarantine already.
bot-user-in-quarantine = { $user } is in quarantine already.
bot-in-quarantine = { $count ->
    [0] Nothing is in quarantine.
   *[other] In quarantine ({ $count }):
}
bot-help-block-everywhere = block a file, and what looks like it, in all rooms; alone: the list
bot-usage-block-everywhere = block-everywhere [#ID|SHA256 [REASON]]|[PAGE]
bot-blocks-everywhere = The file is blocked in all rooms, and so is what looks like it. { $count ->
    [0] No video was taken away.
    [one] One video was taken away.
   *[other] { $count } videos were taken away.
}
bot-help-unblock-everywhere = let a file that you blocked in all rooms come again
bot-usage-unblock-everywhere = unblock-everywhere #ID
bot-help-release = let a video, or a person, out of quarantine; everything is as it was before
bot-usage-release = release #ID|@USER
bot-released = { $id } is out of quarantine, and as it was before.
bot-released-user = { $user } is out of quarantine: { $count ->
    [0] they had no videos there
    [one] one video is as it was before
   *[other] { $count } videos are as they were before
}.
bot-video-not-in-quarantine = { $id } is not in quarantine.
bot-user-not-in-quarantine = { $user } is not in quarantine. A video that is there by itself is released by its id.
bot-help-undo = take back what you did last as an admin
bot-usage-undo = undo
bot-undo-how = To take that back: { $command }
bot-nothing-to-undo = There is nothing of yours that I could take back: only what you did within the last day, and what did not go on meanwhile.
bot-requeue-undone = { $id } is not tried again.
bot-undeleted = { $id } is back.
bot-help-notices = whether I tell the management room when something goes wrong
bot-usage-notices = notices [on|off]
bot-notices-on = Notices are on: I say in { $room } when something goes wrong.
bot-notices-off = Notices are off: I say nothing in { $room } when something goes wrong.
bot-admin-room-open = Anybody may come into this room, or read it: I say nothing here that is for admins. Let only those in who are invited, and keep its history from guests.
bot-notices-nowhere = There is no room for notices: set “admin_room” in the section “appservice” of the configuration, and invite me there.
bot-notice-video = { $count ->
    [one] I gave up on a { thing }:
   *[other] I gave up on { $count } files, the latest a { thing }:
} { $id } of { $user } in { $room }. What I told its sender: { $reason } The log says more. To try again: { $command }
bot-notice-disk-low = The disk is nearly full: { $free } MiB are free. Make room, or videos will fail.
bot-notice-disk-enough = There is room on the disk again: { $free } MiB are free.
bot-notice-homeserver-back = The homeserver did not answer for { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
}, and is back now. I go on by myself.
bot-policy-left = I follow this policy list no more.
bot-room-banned = I may not stay: a policy list that this server follows bans this room.
bot-help-policies = the policy lists that I follow, to follow another, or one no more
bot-usage-policies = policies [add|remove ROOM]
bot-policies = { $count ->
    [0] I follow no policy list.
    [one] I follow one policy list:
   *[other] I follow { $count } policy lists:
}
bot-policies-how = To follow one: { $command }
bot-policy-line = { $room }: { $count ->
    [one] one rule
   *[other] { $count } rules
}
bot-policy-unread = { $room }: not read yet. Is it public, or am I invited?
bot-policy-added = I follow { $room } from now on. Whom it bans adds no videos, watches none, and is not answered.
bot-policy-known = I follow { $room } already. I am reading it again.
bot-policy-removed = I follow { $room } no more. What was held because of it comes back.
bot-policy-unknown = I do not follow { $room }.
bot-policy-nowhere = I cannot find { $room }. Give a room's id (!…) or its address (#…).
bot-notice-verdict = { $count ->
    [one] A video was not examined
   *[other] { $count } videos were not examined
}: { $reason }. What happens to such videos stands in the configuration (`moderation.webhook.on_failure`).
bot-notice-policy-list = I cannot read the policy list { $room }: { $reason }
