# 小工具（widget-…）、公開頁面（page-…）、機器人（bot-…）的文字，以及影片失敗的原因（failure-…）、缺少聲音的原因（audio-…）：繁體中文（臺灣用語）。

## The player

widget-title = 本聊天室的影片
widget-player = 播放器
widget-controls = 播放控制
widget-tools = 更多檢視
widget-play = 播放
widget-pause = 暫停
widget-previous = 上一部影片
widget-next = 下一部影片
widget-back = 後退 10 秒
widget-forward = 前進 10 秒
widget-mute = 靜音
widget-unmute = 解除靜音
widget-tap-to-unmute = 輕觸開啟聲音
widget-volume = 音量
widget-volume-value = 百分之 { $percent }
widget-fullscreen = 全螢幕
widget-leave-fullscreen = 離開全螢幕
widget-seek = 目前影片的播放位置
widget-seek-value = { $position }，共 { $duration }
widget-spoken-time = { $hours ->
    [0] { $minutes ->
        [0] { $seconds } 秒
       *[other] { $minutes } 分 { $seconds } 秒
    }
   *[other] { $hours } 小時 { $minutes } 分 { $seconds } 秒
}
widget-now-playing = { $own ->
    [yes] 正在播放：{ $title }，來自你
   *[no] 正在播放：{ $title }，來自 { $name }
}
widget-buffering = 載入中…
widget-stalled = 網路緩慢或已中斷，正在重試…
widget-broken = 此瀏覽器無法播放這部影片。
widget-skip = 播放下一個
widget-live = 同步
widget-back-to-live = 回到同步
widget-live-note = 你看到的畫面與大家同步
widget-away-note = 你正在按自己的進度觀看
widget-watching = { $more ->
    [0] { $count } 人正在觀看：{ $names }
   *[other] { $count } 人正在觀看：{ $names }等
}
widget-untitled = 影片
# 相機自動命名的檔案：按檔名中的日期和時間稱呼；「when」 即 widget-camera-when。
widget-camera = { $kind ->
    [image] { $when }的圖片
    [voice] { $when }的錄音
    [screen] { $when }的螢幕錄影
   *[video] { $when }的影片
}
widget-camera-when = { $with ->
    [year] { DATETIME($date, dateStyle: "long") }
    [year-time] { DATETIME($date, dateStyle: "long") } { DATETIME($date, timeStyle: "short") }
    [time] { DATETIME($date, day: "numeric", month: "long") } { DATETIME($date, timeStyle: "short") }
   *[day] { DATETIME($date, day: "numeric", month: "long") }
}
widget-shortcuts = 快速鍵：空白鍵播放或暫停，問號顯示所有快速鍵。
widget-settings = 設定
widget-speed = 播放速度
widget-speed-value = { $speed }×
widget-speed-live = 大家正在同步觀看，速度保持為 1×。
widget-quality = 畫質
widget-quality-auto = 自動
widget-quality-auto-now = 自動（{ $lines }p）
widget-quality-lines = { $lines }p
widget-captions = 字幕
widget-captions-off = 關閉
widget-loop = 播放順序
widget-loop-list = 全部循環
widget-loop-one = 單一循環
widget-loop-shuffle = 隨機播放
widget-loop-live = 大家正在按同一個清單順序觀看。
widget-elsewhere = 在其他聊天室時
widget-elsewhere-stop = 停止播放
widget-elsewhere-muted = 靜音播放
widget-elsewhere-play = 繼續播放
widget-float = 畫中畫
widget-told-speed = 速度 { $speed }
widget-told-captions = 字幕：{ $label }
widget-told-keys-on = 已開啟鍵盤快速鍵
widget-told-keys-off = 已關閉鍵盤快速鍵
widget-told-announce-on = 會播報新影片
widget-told-announce-off = 不再播報新影片
widget-keys = 鍵盤快速鍵
widget-keys-list = 快速鍵清單
widget-announce = 螢幕閱讀器：播報每個新影片
widget-keys-hint = 焦點在播放器上時有效。字母和符號鍵可以在設定中關閉。
widget-key-space = 空白鍵
widget-key-play = 播放或暫停
widget-key-hurry = 按住：兩倍速
widget-key-step = 後退或前進 10 秒
widget-key-seek = 後退或前進 5 秒
widget-key-share = 跳到影片的十分之幾處
widget-key-ends = 跳到開頭或結尾
widget-key-video = 上一個或下一部影片
widget-key-speed = 減速或加速
widget-key-volume = 音量
widget-key-mute = 靜音
widget-key-captions = 字幕
widget-key-fullscreen = 全螢幕
widget-key-help = 顯示此清單
widget-close = 關閉
widget-to-list = 跳到影片清單

## Members and lists

widget-members = 選擇要看誰的影片
widget-everyone = 所有人
widget-you = 你
widget-in-turn = 所有人輪流
widget-in-turn-short = 輪流
widget-several = { $count } 位成員輪流
widget-and = {"、"}
widget-choose-several = 選擇多位成員
widget-chosen = { $name }：輪流播放他們的影片
widget-member-videos = { $name }，{ $count ->
    [0] 還沒有影片
   *[other] { $count } 部影片
}
widget-list = 影片
widget-list-of = { $own ->
    [yes] 你的影片
   *[no] { $name } 的影片
}
widget-count = { $count ->
    [0] 還沒有影片
   *[other] { $count } 部影片
}
widget-play-video = 播放 { $title }
widget-playing = 播放中
widget-paused = 已暫停
widget-state-queued = 排隊中
widget-state-awaited = 等待上傳完成
widget-state-processing = 正在處理
widget-progress = 正在處理{ $title }
widget-progress-percent = { $percent }%
widget-progress-seconds = { $percent }%，約剩 { $count } 秒
widget-progress-minutes = { $percent }%，約剩 { $count } 分鐘
widget-progress-qualities = 更清晰的畫質：{ $progress }
widget-state-failed = 處理失敗
widget-state-hidden = 已隱藏
widget-state-held = 暫時不對他人顯示
widget-hidden-by-viewer = 已由你隱藏
widget-hidden-by-sender = 已由傳送者隱藏
widget-hidden-by-moderator = 已由管理員隱藏
widget-held-for-approval = 等待管理員審核
widget-held-for-reports = 被檢舉，等待管理員處理
widget-held-for-verdict = 檢查服務正在檢查
widget-held-for-policy = 已暫停顯示：傳送者在策略清單中
widget-held-for-quarantine = 已被本伺服器的管理者隔離
widget-kind-image = 圖片
widget-kind-voice = 聲音
widget-find = 搜尋影片
widget-found = { $count ->
    [0] 沒有找到
   *[other] 找到 { $count } 部影片
}
widget-to-current = 回到正在播放的影片
widget-spoiler = 劇透
widget-spoiler-because = 劇透：{ $reason }
widget-spoiler-hint = { $own ->
    [yes] 你的「{ $title }」
   *[no] { $name } 的「{ $title }」
}
widget-spoiler-show = 顯示
widget-spoiler-leave = 暫不
widget-mark-avatar = 影片頭像
widget-mark-published = 已公開
widget-mark-reported = { $count } 次檢舉

## Managing videos

widget-more = 管理{ $title }
widget-menu-rename = 重新命名
widget-menu-hide = 對他人隱藏
widget-menu-review = 審核…
widget-menu-show = 對所有人顯示
widget-menu-approve = 通過
widget-menu-block = 封鎖…
widget-menu-avatar-set = 設為我的影片頭像
widget-menu-avatar-unset = 不再用作影片頭像
widget-menu-publish = 發布到我的公開頁面…
widget-menu-unpublish = 從公開頁面撤回
widget-menu-copy-link = 複製連結
widget-menu-move-up = 上移
widget-menu-move-down = 下移
widget-menu-move-top = 移到最前
widget-menu-move-end = 移到最後
widget-menu-report = 檢舉…
widget-menu-dismiss = 忽略檢舉
widget-menu-delete = 刪除
widget-title-field = { $title } 的新標題
widget-title-hint = Enter 儲存，Esc 取消
widget-renamed = 已重新命名為{ $title }
widget-hidden = 已對他人隱藏{ $title }
widget-shown = 現在所有人都能看到{ $title }
widget-avatar-set = { $title }已設為你的影片頭像
widget-avatar-unset = { $title }不再是影片頭像
widget-moved = { $title }現在是第 { $place } 個，共 { $count } 個
widget-deleted = 已刪除「{ $title }」
widget-undo = 復原
widget-restored = 已恢復{ $title }
widget-approved = 現在所有人都能看到「{ $title }」。
widget-rejected = 已拒絕「{ $title }」，稍後會告訴傳送者。
widget-blocked = 已移除「{ $title }」，本聊天室不再接受同一檔案。
widget-queue = 等待你處理
widget-queue-waiting = { $count } 個待審核
widget-queue-reported = { $count } 個被檢舉
widget-review-shown = 所有人都能看到
widget-review-preparing = 還沒有可觀看的內容：影片仍在處理。
widget-review-unseen = 此處無法觀看：傳送者隱藏了它，或不由本聊天室的管理員決定。
widget-review-no-reasons = 無法載入檢舉內容。
widget-review-wordless = 未說明原因
widget-review-approve = 通過
widget-review-show = 對所有人顯示
widget-review-dismiss = 忽略檢舉
widget-review-hide = 對他人隱藏
widget-review-reject = 拒絕…
widget-review-reject-hint = 原因是什麼？如果填寫，傳送者會看到。
widget-review-reject-confirm = 拒絕
widget-review-block = 封鎖…
widget-review-block-hint = 影片將被永久移除，同一檔案及其副本不能再進入本聊天室。原因會記入記錄檔。
widget-review-block-confirm = 封鎖
widget-review-close = 關閉
widget-published = 「{ $title }」已發布到你的公開頁面。
widget-unpublished = 「{ $title }」不再公開。
widget-reports-dismissed = 已忽略對{ $title }的檢舉
widget-reported = 謝謝，本聊天室的管理員會處理。
widget-publish-title = 發布「{ $title }」？
widget-publish-hint = 網際網路上任何有網址的人都能開啟你的公開頁面，無需帳號。公開頁面只顯示你發布的影片，以及你的名字和頭像。你可以隨時撤回。
widget-publish = 發布
widget-address = 網址
widget-copy = 複製
widget-copied = 連結已複製
widget-copy-by-hand = 複製此連結
widget-copy-by-hand-hint = 聊天應用程式不允許我們複製。連結已選中：請按 Ctrl+C，或長按後選擇「複製」。
widget-report-title = 檢舉「{ $title }」
widget-report-hint = 有什麼問題？本聊天室的管理員會看到你寫的內容。
widget-report-send = 檢舉
widget-cancel = 取消
widget-unsaved = 尚未儲存，正在重試。
widget-refused-conflict = 其他人同時修改了「{ $title }」，你的修改沒有儲存，請重新檢視。
widget-refused-forbidden = 你不能再對「{ $title }」執行此操作。
widget-refused-gone = 「{ $title }」已經不在了。
widget-refused-late = 太晚了：「{ $title }」已被永久刪除。
widget-refused-server = 伺服器沒有接受你對「{ $title }」的修改。
widget-refused-reject-conflict = 「{ $title }」已不再等待審核。
widget-refused-block-conflict = 暫時無法封鎖「{ $title }」：對該檔案了解還不夠，請稍後再試。
widget-refused-order-conflict = 其他人同時更改了順序，請重試。
widget-refused-order-forbidden = 你不能再更改這個順序。
widget-refused-order-gone = 這些影片已經不在了。
widget-refused-order-late = 這些影片已經不在了。
widget-refused-order-server = 伺服器沒有接受新的順序。

## Talking about a video

widget-talk = 留言
widget-talk-close = 返回影片清單
widget-talk-react = 加上回應
widget-talk-reaction = { $name }：{ $count } 人
widget-talk-replies = 對「{ $title }」的留言
widget-talk-none = 還沒有留言，來說第一句吧。
widget-talk-nothing = 播放一部影片，就可以留言它。
widget-talk-earlier = 更早的留言
widget-talk-edited = 已編輯
widget-talk-delete = 刪除這則留言
widget-talk-delete-question = 對所有人刪除？
widget-talk-keep = 保留
widget-talk-write = 留言「{ $title }」
widget-talk-placeholder = 寫留言…
widget-talk-send = 傳送
widget-talk-reply-failed = 未能傳送，文字仍在這裡，請重試。
widget-talk-reply-busy = 未能傳送：操作過於頻繁。文字仍在這裡，請稍後重試。
widget-talk-reply-refused = 未能傳送：你不能在這個聊天室裡發言。文字仍在這裡。
widget-talk-not-sent = 未能傳送，請重試。
widget-talk-not-sent-busy = 未能傳送：操作過於頻繁，請稍後重試。
widget-talk-not-sent-refused = 未能傳送：你在這個聊天室裡沒有權限。
widget-talk-failed = 無法載入留言。
widget-talk-elsewhere = 這部影片傳送在被本聊天室取代的舊聊天室裡，相關留言也在那裡。
widget-talk-moved = 正在播放：{ $title }。你仍在留言這部影片。
widget-talk-over-picture = 在畫面上顯示新留言
widget-talk-unread = { $count } 則新留言
widget-talk-missing-see = 留言就是本聊天中的訊息，而你的聊天應用程式不允許 Roomreel 檢視訊息。
widget-talk-missing-react = 你的聊天應用程式不允許 Roomreel 檢視或傳送回應。
widget-talk-missing-send = 你的聊天應用程式不允許 Roomreel 代你傳送訊息。
widget-talk-read-only = 你在這個聊天室裡可以看留言，但不能發表留言。
widget-by-bot = 由 Roomreel 機器人代你傳送到聊天中，並註明你的名字。
widget-talk-before-see = 留言和回應都是這個聊天裡的訊息。要在這裡顯示它們，Roomreel 需要聊天應用程式的許可，應用程式會詢問你。
widget-talk-before-send = 要以你的名義傳送留言，Roomreel 需要聊天應用程式的許可，應用程式會詢問你。為此頁面會重新載入並回到這裡。
widget-talk-continue = 繼續
widget-talk-asking = 聊天應用程式正在詢問你。
widget-talk-will-ask-send = 傳送時，聊天應用程式會詢問是否允許 Roomreel 以你的名義傳送訊息。
widget-talk-will-ask-react = 聊天應用程式會詢問是否允許 Roomreel 查看回應並以你的名義回應。
widget-several-yes = 聊天應用程式仍在執行此頁面的舊副本，會把所有內容重複傳送多次，因此這裡不會傳送任何內容。請重新載入應用程式，之後即可恢復。在此之前請使用聊天：在那裡傳送的影片會在這裡播放，對影片的回覆會顯示在這裡。
widget-several-perhaps = 聊天應用程式可能仍在執行此頁面的舊副本，從這裡傳送的內容可能會重複出現。請先重新載入應用程式，或使用聊天：在那裡傳送的影片會在這裡播放，對影片的回覆會顯示在這裡。
widget-several-anyway = 仍然從這裡傳送
widget-talk-ask = 再次詢問我

## Nothing to see yet

widget-empty-room = 舞台屬於你
widget-empty-room-hint = 在聊天中傳送一部影片，它就會在這裡為所有人播放。
widget-empty-member = { $name } 還沒有傳送影片
widget-empty-member-hint = 對方在聊天中傳送影片後，就會在這裡播放。
widget-empty-moved = 這個聊天室已升級
widget-empty-moved-hint = 它的影片在新聊天室裡播放。
widget-empty-moved-link = 前往新聊天室
widget-empty-own = 你還沒有傳送影片
widget-empty-own-hint = 在聊天中傳送一部影片，幾秒鐘後就會在這裡播放。
widget-empty-send = 錄製或傳送影片
widget-empty-waiting = 正在排隊
widget-empty-waiting-hint = 其他影片先處理，輪到後會自動開始播放。
widget-empty-preparing = 馬上就好
widget-empty-preparing-hint = 影片正在處理，完成後會自動開始播放。
widget-empty-spoilers = 目前只有劇透
widget-empty-spoilers-hint = 請在清單中選擇。只有在你要求時才會播放。
widget-empty-withheld = 暫時沒有顯示的影片
widget-empty-withheld-hint = 這裡的影片已隱藏，或在等待處理：清單中說明了原因。
widget-empty-failed = 暫時沒有可播放的影片
widget-empty-failed-hint = 清單中說明了出錯的原因和解決辦法。
widget-encryption-title = 這個聊天室已加密
widget-encryption-title-off = 這個加密聊天室沒有開啟影片
widget-encryption-hint = 開啟之後，本伺服器會為此後傳送的每部影片保留一份可播放的副本，而本伺服器的營運者能夠觀看它。在那之前不保留任何新的影片。
widget-encryption-others = 聊天室的管理員可以開啟影片。
widget-encryption-unserved = 影片不會在這裡播放：這台伺服器沒有為加密聊天室設定好。它的營運者可以在 Roomreel 的 docs/encryption.md 裡找到設定方法。
widget-encryption-on = 開啟影片
widget-encryption-on-question = 要為這個聊天室裡的所有人開啟影片嗎？此後傳送的每部影片都會保留一份可播放的副本，而本伺服器的營運者能夠觀看它。
widget-encryption-on-sure = 要為這個聊天室裡的所有人開啟影片嗎？
widget-encryption-on-confirm = 開啟
widget-encryption-kept = { $name } 於 { DATETIME($at, dateStyle: "medium") } 開啟了影片：本伺服器保留可播放的副本
widget-encryption-kept-since = 影片自 { DATETIME($at, dateStyle: "medium") } 起開啟：本伺服器保留可播放的副本
widget-encryption-not-kept = 這個加密聊天室沒有開啟影片：新的影片不會在這裡播放。
widget-encryption-not-kept-others = 這個加密聊天室沒有開啟影片：新的影片不會在這裡播放。聊天室的管理員可以開啟影片。
widget-encryption-not-kept-unserved = 新的影片不會在這裡播放：這個聊天室已加密，而這台伺服器沒有為此設定好。
widget-encryption-off = 關閉影片
widget-encryption-off-question = 要為這個聊天室裡的所有人關閉影片嗎？到目前為止傳送的全部影片的副本都會被清除，聊天中的訊息會保留。此操作無法復原。
widget-encryption-off-confirm = 清除並關閉
widget-encryption-failed = 沒有成功，請重試。

## Trouble

widget-loading = 正在載入本聊天室的影片…
widget-loading-more = 正在載入更多…
widget-loading-failed = 無法載入其餘影片。
widget-searching = 正在搜尋所有影片…
widget-asking = 聊天應用程式正在詢問是否允許 Roomreel 知道你的身分，請在那裡選擇「繼續」。
widget-stale = 正在重新連線…
widget-retry = 重試
widget-error-outside = 請在聊天中開啟
widget-error-outside-hint = Roomreel 在 Matrix 聊天室裡播放。請用支援小工具的用戶端（例如電腦版 Element）開啟聊天室，然後選擇 Roomreel 小工具。
widget-error-no-answer = 聊天應用程式沒有回應
widget-error-no-answer-hint = 請重試。如果仍然如此，請關閉小工具後重新開啟。
widget-error-declined = 需要確認你是聊天室成員
widget-error-declined-hint = 只有本聊天室的成員可以觀看。請重試，並在聊天應用程式詢問時選擇「繼續」。Roomreel 只會知道你的使用者名稱。
widget-error-identity = 無法確認你的身分
widget-error-identity-hint = 剛新增小工具時可能會出現這種情況，請重試。
widget-error-not-member = 只有本聊天室的成員可以觀看
widget-error-not-member-hint = 請先加入聊天室，然後重試。
widget-error-offline = 沒有網路連線
widget-error-offline-hint = 我們會繼續嘗試，你也可以立即重試。
widget-error-server = 伺服器出了問題
widget-error-server-hint = 這不是你的問題。我們會繼續嘗試，你也可以立即重試。
widget-error-busy = 伺服器正忙
widget-error-busy-hint = 伺服器請大家稍等片刻，之後會自動重試。
widget-error-no-room = 連結中沒有聊天室
widget-error-no-room-hint = 請讓管理員重新新增 Roomreel 小工具：邀請機器人進聊天室，它會完成設定。
widget-error-unsupported = 此瀏覽器無法播放這些影片
widget-error-unsupported-hint = 請更新瀏覽器或聊天應用程式，或換用其他瀏覽器。

## Recording and sending a video

widget-record = 錄製或傳送影片
widget-record-recording = 正在錄製，按這裡返回
widget-record-draft = 有未傳送的影片，按這裡返回
widget-record-sending = 正在傳送你的影片
widget-record-failed = 影片沒有傳送成功，按這裡檢視原因
widget-record-ready = 準備錄製
widget-record-review = 預覽
widget-record-sent-title = 已傳送
widget-record-close = 關閉
widget-record-camera = 攝影機
widget-record-screen = 螢幕
widget-record-file = 選擇檔案
widget-record-private = 傳送之前，別人看不到它。
widget-record-drop-hint = 也可以把影片拖到這裡。{ widget-record-private }
widget-record-drop = 在這裡放開影片
widget-record-asking = 瀏覽器正在請求權限…
widget-record-live = 將要錄製的畫面
widget-record-start = 開始錄製
widget-record-skip = 立即開始
widget-record-stop = 停止並預覽
widget-record-pause = 暫停錄製
widget-record-resume = 繼續錄製
widget-record-mute = 麥克風靜音
widget-record-flip = 切換攝影機
widget-record-devices = 攝影機和麥克風
widget-record-device-camera = 攝影機
widget-record-device-microphone = 麥克風
widget-record-with-microphone = 同時錄製麥克風
widget-record-name = 錄影 { $date }
widget-record-discard = 捨棄
widget-record-discard-question = 捨棄這部影片嗎？捨棄後無法恢復。
widget-record-keep = 保留
widget-record-preview = 你的影片
widget-record-no-preview = 此瀏覽器無法預覽這種影片，但仍然可以傳送。
widget-record-trim = 要傳送的部分
widget-record-trim-start = 開始
widget-record-trim-end = 結束
widget-record-trim-length = 已選 { $length }
widget-record-longest = 這裡的影片最長 { $length }：請選擇要傳送的部分。
widget-record-longest-edit = 這裡的影片最長 { $length }。你的影片還在：可以編輯後傳送其中一部分，或儲存副本。
widget-record-caption = 說明（選填）
widget-record-send = 傳送
widget-record-edit = 編輯
widget-record-done = 已完成
widget-record-save = 儲存副本
widget-record-step-upload = 正在上傳
widget-record-step-prepare = 正在處理
widget-record-step-post = 正在傳送到聊天室
widget-record-before = 要以你的名義傳送影片，Roomreel 需要聊天應用程式的許可，應用程式會詢問你。為此頁面會重新載入並回到這裡。
widget-record-declined = 聊天應用程式不允許 Roomreel 代你傳送影片。
widget-record-will-ask = 傳送時，聊天應用程式會詢問是否允許 Roomreel 以你的名義傳送影片。
widget-record-sending-hint = 可以關閉這裡繼續觀看，傳送會在背景進行。
widget-record-sent-hint = 影片已出現在聊天中，馬上就會在這裡播放。
widget-record-sent-ready = 影片已出現在聊天中，現在就可以在這裡播放。
widget-record-watch = 觀看
widget-record-again = 再發一個
widget-record-finished = 完成
widget-record-lost = 網路已中斷。不會遺失任何內容：恢復後會自動繼續上傳。
widget-record-waits = 伺服器正忙，請我們稍等。什麼也沒有遺失：上傳會自動繼續。
widget-record-resumed = 網路已恢復，繼續上傳。
widget-record-said-live = 可以開始錄製。
widget-record-said-recording = 正在錄製。
widget-record-said-paused = 錄製已暫停。
widget-record-said-review = 影片長 { $length }。可以剪輯、新增說明或傳送。
widget-record-way-out = 也可以選擇用其他應用程式錄好的檔案。
widget-record-problem-denied = 沒有權限。
widget-record-problem-denied-hint = 請在瀏覽器設定中允許本頁面使用攝影機和麥克風，然後重試。
widget-record-problem-blocked = 聊天應用程式不允許小工具錄製。
widget-record-problem-blocked-hint = 只有該應用程式自己能更改這一點。
widget-record-problem-missing = 找不到攝影機。
widget-record-problem-missing-hint = 請連線攝影機後重試。
widget-record-problem-busy = 攝影機正被佔用。
widget-record-problem-busy-hint = 請關閉正在使用它的應用程式（例如通話）後重試。
widget-record-problem-insecure = 錄製需要安全連線。
widget-record-problem-insecure-hint = 本頁面不是透過 HTTPS 開啟的。
widget-record-problem-unsupported = 此瀏覽器無法錄製。
widget-record-problem-unsupported-hint = 較新的瀏覽器可以。
widget-record-problem-broken = 這裡無法錄製。
widget-record-problem-broken-hint = 請重試，或換一個攝影機。
widget-record-problem-not-a-video = 這個檔案不是影片。
widget-record-problem-not-a-video-hint = 請選擇 MP4、MOV、WebM 或 MKV 檔案。
widget-record-problem-empty = 這個檔案是空的。
widget-record-problem-empty-hint = 請選擇另一個檔案。
widget-record-problem-too-large = 檔案超過了本伺服器允許的大小。
widget-record-problem-too-large-hint = 請選擇短一些或小一些的影片。
widget-record-problem-nothing = 沒有錄到任何內容。
widget-record-problem-nothing-hint = 請重試，至少錄製一秒鐘。
widget-record-problem-kept = 這裡已經有一部影片。
widget-record-problem-kept-hint = 請先發送或捨棄它，再選擇另一個。
widget-record-problem-permission = 需要先得到聊天應用程式的許可。
widget-record-problem-permission-hint = 之後請再選擇一次這部影片。
widget-record-failed-upload = 上傳沒有成功。影片還在這裡，請重試。
widget-record-failed-refused = 伺服器不接受你在本聊天室傳送的影片。影片還在這裡，請聯絡管理員。
widget-record-failed-unavailable = 本伺服器還不能從這裡接收影片。請儲存副本，然後在聊天中傳送。
widget-record-failed-too-large = 影片超過了本伺服器允許的大小。請重新錄製一個短一些的。
widget-record-failed-busy = 你有多個上傳正在進行。請完成或捨棄其中一個，或幾分鐘後重試。
widget-record-failed-full = 伺服器暫時沒有空間。影片還在這裡，請稍後重試。
widget-record-failed-user-limit = 你在這裡的影片數量已達上限。這部影片還在：請先刪除一些舊影片，然後再試。
widget-record-failed-room-limit = 本聊天室的影片數量已達上限。你的影片還在：請刪除一些影片或請管理員刪除，然後再試。
widget-record-failed-post = 影片已準備好，但訊息沒有傳送成功，請重試。
widget-record-failed-declined = 聊天應用程式未獲准傳送。請重試並選擇允許，或儲存副本後在聊天中傳送。
widget-record-failed-several = 聊天應用程式可能會多次傳送該影片，因此沒有傳送。請返回檢視處理辦法，你的影片仍在這裡。

## Signing in a browser by itself

widget-sign-in = 在這個瀏覽器裡觀看
widget-sign-in-hint = 用任意 Matrix 應用程式在聊天室裡傳送這則訊息，本頁就會以你的身分自動繼續。請只發送你自己螢幕上顯示的登入碼：顯示它的螢幕將以你的名義觀看、發言和傳送。
widget-sign-in-message = 要傳送的訊息
widget-sign-in-copy = 複製訊息
widget-sign-in-copied = 已複製
widget-sign-in-waiting = 正在等待你的訊息…
widget-sign-in-renewed = 這是新的登入碼：上一個已用過或已過期。
widget-sign-out = 在這個瀏覽器裡登出

## A member's public page

page-title = { $name } 的影片
page-count = { $count ->
   *[other] { $count } 部影片
}
page-date = { DATETIME($date, dateStyle: "long") }
page-untitled = 影片
page-pages = 頁面
page-previous = 上一頁
page-next = 下一頁
page-number = 第 { $number } 頁，共 { $pages } 頁
page-more = 顯示更多
page-no-script = Roomreel 需要 JavaScript 才能播放本聊天室的影片。
page-missing = 這裡什麼也沒有
page-missing-hint = 這個網址下沒有公開的影片。它們可能已被撤回，也可能是網址有誤。
page-export-gone = 這個連結已失效
page-export-gone-hint = 下載你的影片和資料的連結有效一天；如果你的某部影片被刪除，或你要了新的連結，它會提前失效。給機器人傳送「匯出」，它會再給你一個連結。

## Why a video, photo or sound could not be prepared, and what its sender can do

# What was sent, in the middle of a sentence. Its kind is told by those who say the messages that it is part of.
thing = { $kind ->
    [image] 圖片
    [voice] 聲音
   *[video] 影片
}

failure-empty-file = 檔案是空的，請重新發送{ thing }。
failure-not-a-video = 這個檔案不是影片。請傳送 MP4、MOV、WebM 或 MKV 檔案。
failure-not-a-picture = 這個檔案不是我們能識別的圖片。請傳送 JPEG、PNG、WebP、GIF、HEIC 或 AVIF 檔案。
failure-not-a-sound = 這個檔案不是我們能識別的聲音。請傳送 Ogg、M4A、MP3、WAV 或 FLAC 檔案。
failure-broken-file = 檔案已損壞或沒有傳送完整，請重新發送。
failure-no-decoder = { $kind ->
    [image] 伺服器無法讀取這種格式的圖片。請儲存為 JPEG 或 PNG 後重新發送。
    [voice] 伺服器無法播放這種格式的聲音。請儲存為 M4A、MP3 或 Ogg 後重新發送。
   *[video] 伺服器無法播放這種格式的影片。請儲存為 H.264 編碼的 MP4（幾乎所有應用程式都支援）後重新發送。
}
failure-too-long = { thing }超過了本聊天室允許的時長，請傳送短一些的{ thing }。
failure-too-large-picture = { $kind ->
    [image] 圖片尺寸太大。請減少像素後重新發送。
   *[video] 畫面尺寸太大。請降低解析度後再發送，例如 4K 或 1080p。
}
failure-too-high-frame-rate = { thing }每秒的畫面太多。請以每秒 60 格或更低的影格率儲存後重新發送。
failure-too-many-streams = 檔案中的軌道太多。{ $kind ->
    [voice] 請只保留一條音軌後重新發送。
   *[video] 請只保留一條視訊軌和一條音軌後重新發送。
}
failure-took-too-long = 處理{ thing }的時間太長。{ $kind ->
    [image] 請嘗試更小的圖片。
    [voice] 請嘗試更短的聲音。
   *[video] 請嘗試更短或更小的影片。
}
failure-tool-missing = 伺服器尚未設定好媒體處理，請告知伺服器的管理者。
failure-failed = 處理{ thing }時出了問題，請重新發送。
failure-media-gone = 你的伺服器上已經沒有這個檔案，請重新發送{ thing }。
failure-never-uploaded = 檔案沒有上傳完成。請重新發送{ thing }。
failure-media-too-large = 檔案超過了伺服器允許的大小，請傳送小一些的檔案。
failure-download-failed = 無法從你的伺服器獲取檔案，請稍後重新發送。
failure-hash-mismatch = 檔案在傳輸中被改動，因此沒有使用。請重新發送；如果仍然如此，請告知你所用伺服器的管理者。
failure-encrypted-file = 你的應用程式沒有說明如何打開這個加密檔案。請重新發送，必要時換一個應用程式。
failure-room-encrypted = 這個聊天室已加密，管理員沒有允許本伺服器保留這裡傳送內容的副本。請儲存副本並在聊天中傳送，或者等管理員允許後重試。
failure-blocked = 該{ thing }已被本聊天室的管理員或本伺服器的管理者封鎖，所以沒有收錄。
failure-quota-user = 你在這裡的影片已達到每人的上限。請刪除一些自己的影片（用「mine」可以列出），然後重新發送。
failure-quota-room = 這個聊天室的影片已達到上限。請刪除一些自己的影片，或請管理員刪除一些，然後重新發送。
failure-quota-server = 伺服器目前放不下更多影片。請稍後重新發送，或告訴伺服器的管理者。
failure-disk-full = 伺服器的磁碟已滿。請稍後重新發送{ thing }，或告訴伺服器的管理者。
failure-overloaded = 伺服器多次因過於繁忙而無法處理該{ thing }。請稍後重新發送。
failure-internal = 伺服器出錯了。請重新發送{ thing }；如果問題仍然存在，請告知伺服器的管理者。

## What of a video's sound could not be taken

audio-no-decoder = 播放時沒有聲音：這裡不支援它的聲音格式。
audio-encrypted = 播放時沒有聲音：聲音是加密的。
audio-damaged = 播放時沒有聲音：聲音已損壞。
audio-too-many-channels = 播放時沒有聲音：聲道太多。
audio-some-tracks = 只播放一部分聲音：不是每條音軌都能播放。
audio-parts = 缺少一部分聲音：有些片段已損壞。

## What the bot says in the room

bot-declined = 我不能在這裡為你服務：請向本伺服器的管理員申請使用權限。
bot-key-missing = 我沒有這則訊息的金鑰，無法讀取。如果它是影片或指令，請再傳送一次。
bot-key-withheld = 你的用戶端拒絕把這則訊息的金鑰給我，我無法讀取。請驗證我，或者在此聊天室允許未驗證的裝置，然後再傳送一次。
bot-verification-declined = 我沒有可以比對表情符號的螢幕。管理此服務的人可以驗證我：他們能在日誌裡看到表情符號。
bot-welcome = 這個聊天室現在有螢幕了。在聊天中傳送影片，它就會在聊天室的小工具裡播放；所有人的影片按順序循環播放。要觀看，請開啟聊天室的「Roomreel」小工具，例如在電腦上的 Element 裡；在手機上請開啟 { $link }
bot-needs-power = 我沒有權限把影片螢幕放進這個聊天室。請把 { $bot } 的權限等級設為 { $level }：在這裡傳送 { $step }。也可以在聊天室設定裡降低「修改小工具」的等級。之後我會自動重試。
bot-needs-moderator = 我沒有權限把影片螢幕放進這個聊天室。請在聊天室的成員清單裡把我設為「版主」，或者在這裡傳送 { $step }。也可以在聊天室設定裡降低「修改小工具」的等級。之後我會自動重試。
bot-needs-admin = 我沒有權限把影片螢幕放進這個聊天室。請在聊天室的成員清單裡把我設為「管理員」，或者在這裡傳送 { $step }。也可以在聊天室設定裡降低「修改小工具」的等級。之後我會自動重試。
bot-encrypted = 這個聊天室已加密；邀請我，就是允許我讀取這裡傳送的內容，好讓我看懂給我的指令，你的用戶端也可能隨邀請把更早訊息的金鑰給了我。如果在這裡開啟影片，本服務會為此後傳送的每部影片保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。在那之前不保留任何影片：要開啟，請由管理員在這裡傳送 { $command }，或按「Roomreel」小工具裡的按鈕。
bot-encrypted-direct = 這個私訊已加密；邀請我，就是允許我讀取這裡傳送的內容，好讓我看懂給我的指令，你的用戶端也可能隨邀請把更早訊息的金鑰給了我。如果在這裡開啟影片，本服務會為此後傳送的每部影片保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。在那之前不保留任何影片：要開啟，請在這裡傳送 { $command }，或按「Roomreel」小工具裡的按鈕。
bot-encrypted-since = 這個聊天室現在已加密。這裡已有的影片會保留，並繼續在小工具裡播放；對新的影片，本服務必須保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。在有人同意之前，不保留任何新影片：要開啟，請由管理員在這裡傳送 { $command }，或按「Roomreel」小工具裡的按鈕。
bot-opted-in = { $user } 在這個加密聊天室開啟了影片（{ $when }）：從現在起，本服務會為這裡傳送的每部影片保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。要關閉並清除所有副本，請由管理員傳送 { $command }
bot-opted-in-before = { $people }：{ $user } 在這個加密聊天室開啟了影片（{ $when }）。本服務會為這裡傳送的每部影片保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。
bot-opted-in-still = 在被這個聊天室取代的加密聊天室裡，{ $user } 開啟了影片（{ $when }），所以這裡也已開啟：本服務會為這裡傳送的每部影片保留一份可播放的副本，而這台伺服器的營運者能夠觀看它。
bot-opted-out = { $user } 在這個加密聊天室關閉了影片（{ $when }）：{ $count ->
    [0] 這裡沒有保留任何影片的副本
   *[other] 這裡保留的 { $count } 部影片的副本已清除
}，也不再保留新的。訊息本身會保留。要重新開啟，請由管理員傳送 { $command }
bot-unserved = 這個聊天室已加密，而這台伺服器沒有為此設定好：我看不到這裡傳送的內容，沒有在這裡放置螢幕，你在這裡傳送的影片也不會播放。這台伺服器的營運者可以在 Roomreel 的 docs/encryption.md 裡找到設定方法；設定好之後我會在這裡繼續。在那之前：建立一個不加密的聊天室並邀請我（在 Element 中：「建立聊天室」，然後關閉「啟用端到端加密」；開啟之後就無法關閉）。
bot-unserved-direct = 這個私訊已加密，而這台伺服器沒有為此設定好：我看不懂你在這裡寫的話，你在這裡傳送的影片也不會播放。這台伺服器的營運者可以在 Roomreel 的 docs/encryption.md 裡找到設定方法；設定好之後我會在這裡繼續。在那之前：建立一個不加密的聊天室並邀請我（在 Element 中：「建立聊天室」，然後關閉「啟用端到端加密」；開啟之後就無法關閉）。
bot-unserved-since = 這個聊天室現在已加密，而這台伺服器沒有為此設定好。這裡已有的影片會保留，並繼續在小工具裡播放；新的影片不會出現在小工具裡。這台伺服器的營運者可以在 Roomreel 的 docs/encryption.md 裡找到設定方法；設定好之後我會在這裡繼續。在那之前，要使用新影片：建立一個不加密的聊天室並邀請我（在 Element 中：「建立聊天室」，然後關閉「啟用端到端加密」；開啟之後就無法關閉）。
bot-left-behind = 這個聊天室沒有加密，而之前的聊天室是加密的：它的影片留在那裡，成員可以在那裡的小工具中觀看。等這個聊天室也加密後，它們會一併移過來。
bot-failed = 「{ $title }」無法播放。{ $reason }
bot-edit-failed = 你用來替換「{ $title }」的內容無法播放，原來的影片會繼續播放。{ $reason }
bot-audio = 「{ $title }」：{ $reason }要聽到全部聲音，請用 AAC 聲音格式儲存影片後重新發送。
bot-mended = 「{ $title }」現在可以播放了。
bot-untitled = 你的{ thing }
bot-signed-in = 已登入：一個瀏覽器（{ $browser }）現在可以用 { $user } 的身分觀看本聊天室，並以其名義留言、回應和傳送影片，有效期 30 天。如果那不是你自己的瀏覽器，或想結束登入，請傳送 { $command }
bot-some-browser = 型別未知
bot-signed-out = { $count ->
    [0] 沒有以 { $user } 身分登入的瀏覽器。
   *[other] 已登出 { $count } 個以 { $user } 身分登入的瀏覽器。
}
bot-wrong-code = 這個登入碼不正確、已用過或已過期，沒有任何人因此登入。請使用瀏覽器目前顯示的登入碼，並在申請它的那個聊天室裡傳送。
bot-too-many-codes = 錯誤的登入碼太多。沒有任何人登入；十分鐘內你傳送的登入碼都不會被接受。

## 機器人對指令的回答

bot-help = 在這個聊天室傳送影片，它就會在聊天室的小工具裡播放。此外，我還能聽懂：
bot-help-videos = VIDEO 可以是你清單中的編號（如 { $own }）、別人清單中的編號（如 { $others }），或影片 id（如 { $id }）。回覆某條影片訊息時可以省略。
bot-help-help = 我能聽懂的指令
bot-usage-help = help [COMMAND]
bot-help-version = 我的版本
bot-usage-version = version
bot-version = Roomreel { $version }
bot-unknown = 我不認識這個指令。
bot-unknown-nearest = 我不認識「{ $name }」。你是不是想說「{ $meant }」？
bot-see-help = { $command } 會列出我能聽懂的所有指令。
bot-wrong-word = 「{ $word }」用在這裡不對。應該這樣寫：
bot-missing-word = 還缺了點什麼。應該這樣寫：
bot-interrupted = 我做到一半被打斷了。請看看是否已經完成，沒有的話請再發一次。
bot-not-alone = 有其他人進入了這個聊天室，或可以進入：你要的內容不是給他們看的。請在只有我們兩個的地方問我。
bot-only-moderators = 只有聊天室管理員可以這樣做。
bot-forbidden = 你不能對那部影片這樣做。
bot-never-public = 這部影片在本伺服器上是加密的，因此無法在公開頁面上顯示。
bot-not-found = 沒有這部影片。
bot-conflict = 在此期間有人改動了它。請再看一眼，然後重試。
bot-too-late = 太晚了：影片已經沒有了。
bot-refused = 無法完成：{ $reason }
bot-no-such-id = 在你的聊天室裡找不到影片 #{ $id }。
bot-id-too-short = 有不止一部影片的 id 以 #{ $id } 開頭。請多寫幾位。
bot-no-such-number = 沒有編號為 { $number } 的影片：清單中{ $count ->
    [0] 沒有影片
   *[other] 共有 { $count } 部影片
}。
bot-which-video = 哪部影片？請寫出編號或 id，或是回覆它的訊息。
bot-several-videos = 那則訊息包含多部影片。請用 id 指明是哪一個：{ $ids }。
bot-video = 影片
bot-camera-time = { $date } { $time }
bot-camera-time-utc = { $date } { $time}（UTC）
bot-state-queued = 排隊中
bot-state-awaited = 等待上傳完成
bot-state-processing = 處理中
bot-state-playable = 可以播放，畫質還在提高
bot-state-ready = 已就緒
bot-state-failed = 處理失敗
bot-visibility-hidden = 已隱藏
bot-visibility-held = 等待管理員審核
bot-mark-audio = 缺少聲音
bot-mark-published = 公開
bot-next-page = 更多：{ $command }
bot-help-list = 列出成員和他們的影片，或某個成員的影片
bot-usage-list = list [@USER] [PAGE]
bot-list = { $count ->
    [0] 還沒有影片。傳送一個，它就會在小工具裡播放。
   *[other] 這個聊天室有 { $count } 部影片：
}
bot-list-line = { $name }：{ $count } 部影片
bot-list-more = 檢視某個成員的影片：{ $command }
bot-list-of = { $count ->
    [0] { $user } 在這裡沒有影片。
   *[other] { $user } 的 { $count } 部影片：
}
bot-list-rooms = { $count ->
    [0] 你還沒有影片。在有我的聊天室裡傳送一個吧。
   *[other] 你有 { $count } 部影片：
}
bot-help-mine = 列出你自己的影片及其編號
bot-usage-mine = mine [PAGE]
bot-mine = { $count ->
    [0] 你還沒有影片。傳送一個，它就會在小工具裡播放。
   *[other] 你的 { $count } 部影片：
}
bot-help-play = 給出觀看某部影片或這個聊天室的連結
bot-usage-play = play [VIDEO]
bot-link-room = 觀看這個聊天室：{ $link }
bot-link = 觀看「{ $title }」：{ $link }
bot-link-public = 公開頁面上的網址：{ $link }
bot-help-rename = 給影片換一個標題
bot-usage-rename = rename VIDEO TITLE
bot-renamed = 「{ $before }」現在叫「{ $title }」。
bot-title-too-long = 標題長度為 1 到 { $most } 個字元。
bot-help-move = 改變影片在清單中的位置
bot-usage-move = move VIDEO PLACE|up|down|first|last
bot-moved = 「{ $title }」現在是第 { $place } 個，共 { $count } 個。
bot-order-by-moderators = 在這個聊天室裡，只有管理員可以調整影片順序。
bot-help-hide = 對其他人隱藏影片
bot-usage-hide = hide VIDEO
bot-hidden = 其他人現在看不到「{ $title }」了。
bot-help-show = 重新顯示隱藏的影片
bot-usage-show = show VIDEO
bot-shown = 聊天室裡所有人又能看到「{ $title }」了。
bot-shown-waits = 「{ $title }」不再隱藏。管理員核准你換上的內容後，其他人就能看到它。
bot-help-delete = 徹底刪除影片
bot-usage-delete = delete VIDEO
bot-deleted = 「{ $title }」已刪除。
bot-deleted-undo = { $seconds } 秒之內可以撤回：{ $command }
bot-help-undelete = 恢復你剛剛刪除的影片
bot-usage-undelete = undelete
bot-restored = 「{ $title }」回來了。
bot-nothing-to-undelete = 沒有可以恢復的影片：你在剛才幾秒內沒有刪除任何影片。
bot-help-avatar = 把影片設為你在小工具裡的頭像，或取消
bot-usage-avatar = avatar VIDEO|off
bot-avatar-on = 「{ $title }」現在是你的影片頭像。
bot-avatar-off = 「{ $title }」不再是你的影片頭像。
bot-no-avatar = 你在這個聊天室沒有影片頭像。
bot-in-the-room = 請在相關的聊天室裡傳送這個指令。
bot-help-publish = 在你的公開頁面上向所有人展示影片
bot-usage-publish = publish VIDEO
bot-published = 有連結的人現在都能看到「{ $title }」：{ $link }
bot-help-unpublish = 從你的公開頁面撤回影片
bot-usage-unpublish = unpublish VIDEO
bot-unpublished = 「{ $title }」已不在你的公開頁面上。
bot-help-report = 告訴管理員某部影片有問題
bot-usage-report = report VIDEO [REASON]
bot-reported = 謝謝。管理員會檢視「{ $title }」。
bot-report-own = 這是你自己的影片：請直接刪除，不必檢舉。
bot-help-settings = 檢視或更改你自己的設定
bot-usage-settings = settings [NAME VALUE|default]
bot-settings = 你的設定：
bot-settings-how = 更改設定：{ $command }
bot-setting-language = 我對你使用的語言：en、zh 或 zh-TW
bot-setting-add = 你傳送的影片是否加入你的清單：on 或 off
bot-setting-on-leave = 你離開聊天室後影片如何處理：keep（保留）或 erase（刪除）
bot-setting-changed = { $name } 現在是 { $value }。
bot-redacted = 影片已被刪除。
bot-help-quota = 檢視你已使用多少，以及最多可以使用多少
bot-usage-quota = quota
bot-quota = 目前的用量：
bot-quota-user = 你（所有聊天室）：{ $videos }，{ $size }
bot-quota-room = 這個聊天室：{ $videos }，{ $size }
bot-quota-server = 整個伺服器：{ $videos }，{ $size }
bot-quota-videos = { $count } 部影片（最多 { $most } 個）
bot-quota-videos-any = { $count } 部影片（不限）
bot-quota-size = { $size } MiB（最多 { $most } MiB）
bot-quota-size-any = { $size } MiB（不限）
bot-quota-near-user = 你已使用每人上限的 { $percent }%。請刪除不再需要的影片，以便繼續傳送新影片；用 { $command } 可以檢視用量。
bot-quota-near-room = 這個聊天室已使用上限的 { $percent }%。請刪除沒人需要的影片，以便繼續接收新影片；用 { $command } 可以檢視用量。
bot-notice-quota = 伺服器的容量（設定檔中的 limits.server）已使用 { $percent }%。達到 100% 後不再接收新影片。
bot-help-export = 把你的影片和我儲存的有關你的資料打包成 zip
bot-usage-export = export
bot-export-here = 正在打包你的影片和資料，完成後會在這裡給你連結。
bot-export-there = 正在打包你的影片和資料，完成後會在與我的私訊裡給你連結。
bot-export-awaited = 你的影片和資料還在打包中，請等待連結。
bot-export-ready = 你的影片和資料已準備好（{ $size } MiB）：{ $link } 連結在 { $hours } 小時內有效；如果你的某部影片被刪除，它會提前失效。請不要把它給別人：任何人拿到連結都能下載。
bot-export-disk-full = 伺服器的磁碟太滿，沒能打包你的影片和資料。什麼也沒有遺失：請稍後再試，或告訴伺服器的管理者。
bot-export-failed = 沒能打包你的影片和資料。請稍後再試；如果一直這樣，請告訴伺服器的管理者。
bot-export-no-keys = 你的影片和資料已準備好，但其中有些來自加密聊天室，而你沒有任何裝置能讀取加密訊息：連結不會在不加密的情況下傳送。請用支援加密的用戶端（例如 Element）登入，然後再試一次。
bot-export-unserved = 你的影片和資料已準備好，但其中有些來自加密聊天室，而這台伺服器目前無法加密訊息：連結不會在不加密的情況下傳送。請告訴伺服器的管理者，修好後再試一次。
bot-help-forget-me = 徹底刪除你在各處的所有影片，以及我儲存的關於你的一切
bot-usage-forget-me = forget-me [yes]
bot-forget-sure = 這會刪除{ $count ->
    [0] 我儲存的關於你的一切
   *[other] 你的全部 { $count } 部影片以及我儲存的關於你的一切
}，包括所有聊天室以及傳送影片的訊息。此操作無法復原。若要執行：
bot-forgotten = 完成。{ $count ->
    [0] 我儲存的關於你的一切都已刪除。
   *[other] 你的 { $count } 部影片以及我儲存的關於你的一切都已刪除。
}

## 管理員的詢問，以及機器人對管理員的詢問

bot-help-queue = 等待處理的影片
bot-usage-queue = queue [PAGE]
bot-help-approve = 核准一個等待中的影片，讓它播放
bot-usage-approve = approve VIDEO
bot-help-reject = 拒絕一個等待中的影片，並告訴傳送者原因
bot-usage-reject = reject VIDEO [REASON]
bot-help-remove = 移除任何人的影片；原因會記入記錄檔
bot-usage-remove = remove VIDEO [REASON]
bot-help-block = 移除一部影片，並且不再接收同一個檔案
bot-usage-block = block VIDEO [REASON]
bot-help-unblock = 重新允許一個被封鎖的檔案
bot-usage-unblock = unblock #ID
bot-help-blocks = 被封鎖的檔案
bot-usage-blocks = blocks [PAGE]
bot-help-reports = 成員對影片的檢舉
bot-usage-reports = reports [PAGE]
bot-help-dismiss = 駁回對一部影片的檢舉；如果它因此在等待，就重新播放
bot-usage-dismiss = dismiss VIDEO
bot-help-room = 聊天室的設定：全部、其中一項，或改成新的值
bot-usage-room = room [!ROOM] [SETTING] [VALUE]
bot-help-enable = 為傳送到這個加密聊天室的影片保留可播放的副本
bot-usage-enable = enable
bot-help-disable = 不再保留副本，並清除已有的全部
bot-usage-disable = disable [yes]
bot-not-encrypted = 這個聊天室沒有加密：影片不需要這樣就能播放。
bot-unserved-command = 這台伺服器沒有為加密聊天室設定好。它的營運者可以在 Roomreel 的 docs/encryption.md 裡找到設定方法。
bot-enabled-before = 這裡已經開啟影片：由 { $user } 開啟（{ $when }）。
bot-disable-sure = 這會清除{ $count ->
    [0] 這個聊天室的影片所保留的一切
   *[other] 這個聊天室全部 { $count } 部影片的副本，以及為它們保留的其他一切
}；也不再保留新的。訊息本身會保留。此操作無法復原。要執行，請傳送：
bot-moderates-nothing = 在我所在的聊天室裡，沒有一個由你管理。
bot-queue = { $count ->
   *[other] 有 { $count } 部影片等待處理：
}
bot-queue-empty = 沒有影片等待處理。
bot-queue-how = 要做決定，請傳送例如 { $approve }，或者 「reject」 加上原因。
bot-queue-line = { $id } 「{ $title }」，傳送者 { $sender }，時長 { $length }：{ $why }
bot-held-for-approval = 等待核准
bot-held-for-reports = { $count ->
    [0] 被檢舉
   *[other] 被 { $count } 位成員檢舉
}
bot-held-for-policy = 傳送者在策略名單上；管理員不能放行
bot-held-for-verdict = 正在檢查；管理員不能放行
bot-held-for-quarantine = 已被伺服器管理者隔離；管理員不能放行
bot-in-room = { $text }（{ $room }）
bot-because = { $text }：{ $reason }
bot-with-reason = { $text }原因：{ $reason }
bot-not-said-here = 加密聊天室裡的影片，我不在這個沒有加密的地方提起：請在那些聊天室裡問我。
bot-held-by-others = 聊天室管理員不能處理這部影片：它由本伺服器的管理者扣留。用 「remove」 可以把它徹底移除。
bot-not-waiting = 這部影片不在等待處理。
bot-approved = 「{ $title }」 現在可以播放了。
bot-rejects = 「{ $title }」 已移除，並已告訴傳送者。
bot-removes = 「{ $title }」 已移除。
bot-rejected = 管理員沒有接受你的影片「{ $title }」。
bot-judged = 你的影片「{ $title }」沒有通過本伺服器的檢查。
bot-blocks = 「{ $title }」 已移除，同一個檔案不會再被接收。{ $count ->
   *[other] 它在這裡出現過 { $count } 次。
}
bot-cannot-block = 我對這部影片的檔案了解還不夠，無法封鎖。如果它剛剛傳送，請稍後再試；否則請用 { $command } 移除它
bot-no-blocks = 沒有被封鎖的檔案。
bot-blocked = { $count ->
   *[other] 有 { $count } 個檔案被封鎖：
}
bot-blocked-line = { $id }，由 { $user } 於 { $day } 封鎖
bot-unblock-how = 要重新允許其中一個，請傳送例如 { $command }
bot-unblocked = 這個檔案可以再發了。已移除的影片不會自動回來：請重新發送。
bot-no-such-block = 沒有 id 以 #{ $id } 開頭的被封鎖檔案。
bot-block-too-short = 有不止一個被封鎖檔案的 id 以 #{ $id } 開頭。請多寫幾位。
bot-reports = { $count ->
   *[other] 有 { $count } 部影片被檢舉：
}
bot-no-reports = 沒有影片被檢舉。
bot-reports-line = { $id } 「{ $title }」，傳送者 { $sender }，{ $count ->
   *[other] { $count } 次檢舉
}
bot-reports-how = 如果沒有問題，請傳送 { $dismiss }；如果有問題，請傳送 { $remove }。
bot-reports-alone = 檢舉的具體內容我只在與我的私訊中說，不會當眾說。
bot-not-reported = 沒有人檢舉過這部影片。
bot-dismissed = 對「{ $title }」的檢舉已駁回。
bot-moderators-add = 你的影片留在聊天裡，但不會在小工具中播放：在這個聊天室只有管理員可以新增影片。如有需要，請與他們商量。
bot-longest = 這裡的{ thing }最長可以是 { $length }（分:秒）。
bot-post-asks = { $sender } 把上面的影片（{ $length }）發到了「{ $room }」。
bot-post-asks-unseen = { $sender } 向「{ $room }」傳送了一部影片（{ $length }）。
bot-post-spoiler = 它被標記為劇透，因此這裡不顯示畫面：請在聊天室的小工具中檢視。
bot-post-spoiler-because = 它被標記為劇透（「{ $reason }」），因此這裡不顯示畫面：請在聊天室的小工具中檢視。
bot-post-reported = { $count ->
   *[other] 有 { $count } 位成員檢舉了它。
}
bot-post-how = 用 { $yes } 回應就播放它，用 { $no } 回應就移除它。也可以傳送 { $approve }，或 { $reject } 加上原因。
bot-post-approved = ✅ { $user } 已核准。
bot-post-rejected = ❌ { $user } 已拒絕。
bot-post-blocked = ❌ { $user } 已封鎖。
bot-post-deleted = ❌ { $user } 已移除。
bot-post-gone = 它已被撤回：不需要再做決定了。
bot-post-settled = 不需要再做決定了。

## 聊天室的設定

bot-room = 「{ $room }」的設定：
bot-room-how = 要更改，請傳送設定的名稱和新的值，例如 { $command }；「default」 會恢復預設值。
bot-which-room = 哪個聊天室？請用下面其中一個開頭：
    { $rooms }
bot-no-such-room = 我不知道這個聊天室，或者你不在裡面。
bot-no-such-setting = 沒有「{ $name }」這個設定。可用的設定有：{ $names }
bot-no-such-setting-nearest = 沒有「{ $name }」這個設定。你是不是想說「{ $meant }」？
bot-wrong-value = 「{ $value }」不適合 { $name }。它的含義是：{ $meaning }
bot-longer-than-server = 本伺服器只接收最長 { $most } 秒的影片。請選擇不超過它的值。
bot-set = 「{ $room }」的 { $name } 現在是 { $value }。
bot-moderators-room-same = 請選擇另一個聊天室：否則這裡的所有人都會看到等待處理的影片。
bot-moderators-room-unknown = 你和我都必須在那個聊天室裡。請先邀請 { $bot } 進去，然後再試一次。
bot-moderators-room-others = 你不是那個聊天室的管理員：只有它自己的管理員才能讓我在那裡徵求決定。
bot-moderators-room-open = 任何人都可以進入或閱讀那個聊天室：請選擇僅限邀請、且外人不能閱讀歷史記錄的聊天室。
bot-moderators-room-chosen = { $user } 選擇了這個聊天室來處理「{ $room }」的影片：那裡有待審影片時，我會在這裡詢問。那個聊天室的管理員可以改用別的聊天室：{ $command }。
bot-moderators-room-encrypted = 那個聊天室已加密，而這台伺服器沒有設定好，不能在那裡傳送訊息（Roomreel 的 docs/encryption.md 說明了方法）。請選擇沒有加密的聊天室。
bot-moderators-room-not-encrypted = 這個聊天室已加密，而那個聊天室沒有：在那裡就能看到這裡等待審核的內容。請選擇加密的聊天室。
bot-room-setting-language = 我說哪種語言：en、zh 或 zh-TW
bot-room-setting-add = 誰可以新增影片：members（成員）或 moderators（管理員）
bot-room-setting-hold = 誰的影片要等管理員核准：off（無人）、new（影片從未在這裡播放過的成員）或 all（除管理員外的所有人）
bot-room-setting-order = 誰可以排列成員的影片：members（成員）或 moderators（管理員）
bot-room-setting-pin = 我放置小工具時是否把它釘選：on 或 off
bot-room-setting-max-length = 影片最長多少秒：不超過 86400 的數字；default：按伺服器允許的長度
bot-room-setting-images = 圖片是否加入播放清單：on 或 off
bot-room-setting-image-seconds = 每張圖片顯示多少秒：1 到 60
bot-room-setting-voice = 語音訊息和其他聲音是否加入播放清單：on 或 off
bot-room-setting-stickers = 貼紙和 GIF 是否加入播放清單：on 或 off
bot-room-setting-history = 我會在我來之前的多少則訊息裡尋找影片：0 到 1000
bot-room-setting-status = 我如何說明影片的進度：reactions（表情回應）、failures（僅在失敗時）或 off
bot-room-setting-moderators-room = 我請求決定的聊天室 id；off：管理員用 「queue」 詢問我
bot-room-setting-report-limit = 有多少次檢舉後影片要等管理員處理：1 到 100；0：從不
bot-room-setting-on-leave = 成員離開後其影片如何處理：keep（保留）或 erase（刪除）
bot-help-status = 檢視服務目前的執行情況
bot-usage-status = status
bot-status = Roomreel { $version }：{ $rooms } 個聊天室，共 { $count } 部影片。
bot-status-held = 暫不顯示：{ $count }，其中被隔離：{ $quarantined }
bot-status-work = { $room } 中的 { $id } 正在處理：{ $percent } %
bot-status-disk = 磁碟：剩餘 { $free }，共 { $total }
bot-status-disk-low = 磁碟空間快用完了：請清理空間，或換用更大的磁碟。
bot-help-stats = 檢視統計：檔案、使用者、各類失敗原因、排隊的工作
bot-usage-stats = stats
bot-stats = { $count ->
    [0] 還沒有影片。
   *[other] { $count } 部影片：
}
bot-stats-files = 佔用磁碟 { $size }，總時長 { $length }
bot-stats-people = 傳送者：{ $users }，聊天室：{ $rooms }
bot-stats-failed = 失敗（{ $code }）：{ $count } 個——{ $reason }
bot-stats-queue = 「{ $job }」工作：{ $waiting } 個等待，{ $work } 個進行中
bot-stats-oldest = 最早的已等待 { $seconds } 秒
bot-stats-idle = 沒有等待中的工作
bot-help-rooms = 列出我所在的聊天室，佔用最多的在前
bot-usage-rooms = rooms [PAGE]
bot-rooms = { $count ->
    [0] 我還沒有加入任何聊天室。請邀請我。
   *[other] 我在 { $count } 個聊天室裡：
}
bot-rooms-line = { $name } · 成員：{ $members } · 影片：{ $count } · { $size }
bot-rooms-encrypted = 已加密
bot-rooms-invited = 已被邀請，尚未加入
bot-help-users = 列出有影片的使用者，佔用最多的在前
bot-usage-users = users [PAGE]
bot-users = { $count ->
    [0] 還沒有人傳送影片。
   *[other] { $count } 位使用者：
}
bot-users-line = { $user } · 影片：{ $count } · 聊天室：{ $rooms } · { $size }
bot-users-quarantined = 已隔離
bot-users-blocked = 設定檔中已停用
bot-users-admin = 服務管理員
bot-no-such-page = 沒有第 { $page } 頁。
bot-no-such-id-anywhere = 找不到影片 #{ $id }。
bot-help-requeue = 讓處理失敗的影片重新開始
bot-usage-requeue = requeue #ID
bot-requeued = { $id } 會重新處理。
bot-not-failed = { $id } 沒有失敗，不需要重試。
bot-help-quarantine = 隔離一部影片或某人傳送的所有影片，直到你解除；不加參數則列出隔離名單
bot-usage-quarantine = quarantine [#ID|@USER [REASON]]|[PAGE]
bot-quarantined = { $room } 中 { $user } 的影片 { $id } 已被隔離：誰都看不到它，聊天室管理員也不能讓它顯示。
bot-quarantined-user = { $user } 已被隔離：{ $count ->
    [0] 此人今後傳送的影片誰都看不到
   *[other] 此人的 { $count } 部影片以及今後傳送的影片誰都看不到
}。
bot-video-in-quarantine = { $id } 已經在隔離中。
bot-user-in-quarantine = { $user } 已經在隔離中。
bot-in-quarantine = { $count ->
    [0] 沒有被隔離的內容。
   *[other] 隔離中（{ $count }）：
}
bot-help-block-everywhere = 在所有聊天室封鎖一個檔案以及看起來相同的影片；不加參數則列出封鎖名單
bot-usage-block-everywhere = block-everywhere [#ID|SHA256 [REASON]]|[PAGE]
bot-blocks-everywhere = 已在所有聊天室封鎖這個檔案以及看起來相同的影片。{ $count ->
    [0] 沒有需要移除的影片。
   *[other] 移除了 { $count } 部影片。
}
bot-help-unblock-everywhere = 讓你在所有聊天室封鎖的一個檔案可以再發
bot-usage-unblock-everywhere = unblock-everywhere #ID
bot-help-release = 解除對影片或使用者的隔離，一切恢復原狀
bot-usage-release = release #ID|@USER
bot-released = { $id } 已解除隔離，恢復原狀。
bot-released-user = { $user } 已解除隔離：{ $count ->
    [0] 沒有被隔離的影片
   *[other] { $count } 部影片已恢復原狀
}。
bot-video-not-in-quarantine = { $id } 不在隔離中。
bot-user-not-in-quarantine = { $user } 不在隔離中。單獨隔離的影片請用它的 id 解除。
bot-help-undo = 復原你作為服務管理員的上一個操作
bot-usage-undo = undo
bot-undo-how = 如需復原：{ $command }
bot-nothing-to-undo = 沒有可以復原的操作：只能復原你一天之內做的、並且之後沒有繼續進行的操作。
bot-requeue-undone = { $id } 不再重新處理。
bot-undeleted = { $id } 回來了。
bot-help-notices = 出問題時是否在管理聊天室裡通知
bot-usage-notices = notices [on|off]
bot-notices-on = 通知已開啟：出問題時我會在 { $room } 裡說明。
bot-notices-off = 通知已關閉：出問題時我不會在 { $room } 裡說明。
bot-admin-room-open = 任何人都可以進入或閱讀這個聊天室：我不會在這裡說只給管理員的內容。請改為僅限邀請，並且不要讓外人閱讀歷史記錄。
bot-notices-nowhere = 還沒有用於通知的聊天室：請在設定檔的「appservice」部分設定「admin_room」，並邀請我加入。
bot-notice-video = { $count ->
    [one] 有一個檔案（{ thing }）我處理不了：
   *[other] 有 { $count } 個檔案我處理不了，最近的是{ thing }：
}{ $room } 中 { $user } 的 { $id }。我告訴傳送者的原因：{ $reason }記錄檔裡有更多資訊。如需重試：{ $command }
bot-notice-disk-low = 磁碟空間快用完了：只剩 { $free } MiB。請清理空間，否則影片會處理失敗。
bot-notice-disk-enough = 磁碟又有空間了：剩餘 { $free } MiB。
bot-notice-homeserver-back = 家伺服器有 { $minutes } 分鐘沒有回應，現在已恢復。我會自動繼續工作。
bot-policy-left = 我不再關注這個策略清單。
bot-room-banned = 我不能留在這裡：本伺服器關注的策略清單封鎖了這個聊天室。
bot-help-policies = 檢視我關注的策略清單，關注新的或取消關注
bot-usage-policies = policies [add|remove ROOM]
bot-policies = { $count ->
    [0] 我沒有關注任何策略清單。
   *[other] 我關注著 { $count } 個策略清單：
}
bot-policies-how = 要關注一個，請傳送：{ $command }
bot-policy-line = { $room }：{ $count } 條規則
bot-policy-unread = { $room }：還沒有讀取。它是公開的嗎？或者邀請我了嗎？
bot-policy-added = 從現在起我關注 { $room }。被它封鎖的人不能新增或觀看影片，我也不再回答他們。
bot-policy-known = 我已經在關注 { $room }，正在重新讀取。
bot-policy-removed = 我不再關注 { $room }。因它而被扣留的影片會恢復。
bot-policy-unknown = 我沒有關注 { $room }。
bot-policy-nowhere = 我找不到 { $room }。請給出聊天室的 id（!…）或位址（#…）。
bot-notice-verdict = 有 { $count } 部影片未能檢查：{ $reason }。如何處理由設定項目 `moderation.webhook.on_failure` 決定。
bot-notice-policy-list = 我無法讀取策略清單 { $room }：{ $reason }
