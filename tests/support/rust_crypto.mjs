// One device with Element's crypto (matrix-sdk-crypto), driven by lines of JSON: [method, ...arguments] in, a value or
// {"error"} out. It does no requests: the test stands between it and the other devices, as a homeserver does.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const widget = createRequire(new URL("../../widget/package.json", import.meta.url));
const crypto = widget("@matrix-org/matrix-sdk-crypto-wasm");

let machine;
let verification;
const settings = () => new crypto.DecryptionSettings(crypto.TrustRequirement.Untrusted);
const users = (ids) => ids.map((id) => new crypto.UserId(id));
const told = (request) => ({
    id: request.id,
    type: request.type,
    event_type: request.event_type,
    room_id: request.room_id,
    body: JSON.parse(request.body),
});
const encryption = (strategy) => {
    const chosen = new crypto.EncryptionSettings();
    chosen.historyVisibility = crypto.HistoryVisibility.Shared;
    chosen.sharingStrategy = crypto.CollectStrategy[strategy]();
    return chosen;
};
const encrypted = (attachment) => ({
    data: Buffer.from(attachment.encryptedData).toString("base64"),
    file: JSON.parse(attachment.mediaEncryptionInfo),
});

const methods = {
    start: async (user, device) => {
        machine = await crypto.OlmMachine.initialize(new crypto.UserId(user), new crypto.DeviceId(device));
        return { curve25519: machine.identityKeys.curve25519.toBase64(), ed25519: machine.identityKeys.ed25519.toBase64() };
    },
    outgoing: async () => (await machine.outgoingRequests()).map(told),
    sent: (id, type, response) => machine.markRequestAsSent(id, type, JSON.stringify(response)),
    track: async (ids) => {
        await machine.updateTrackedUsers(users(ids));
        return null;
    },
    query_again: () => machine.markAllTrackedUsersAsDirty(),
    missing_sessions: async (ids) => {
        const request = await machine.getMissingSessions(users(ids));
        return request ? told(request) : null;
    },
    share_room_key: async (room, ids, strategy = "allDevices") =>
        (await machine.shareRoomKey(new crypto.RoomId(room), users(ids), encryption(strategy))).map(told),
    invalidate_room_key: (room) => machine.invalidateGroupSession(new crypto.RoomId(room)),
    build_room_key_bundle: async (room) => encrypted(await machine.buildRoomKeyBundle(new crypto.RoomId(room))),
    share_room_key_bundle: async (user, room, url, file) => {
        const strategy = crypto.CollectStrategy.identityBasedStrategy();
        const info = JSON.stringify(file);
        const target = [new crypto.UserId(user), new crypto.RoomId(room)];
        return (await machine.shareRoomKeyBundleData(...target, url, info, strategy)).map(told);
    },
    bootstrap_cross_signing: async () => {
        const { uploadSigningKeysRequest, uploadSignaturesRequest } = await machine.bootstrapCrossSigning(true);
        return { keys: JSON.parse(uploadSigningKeysRequest.body), signatures: told(uploadSignaturesRequest) };
    },
    request_verification: async (user, device) => {
        const found = await machine.getDevice(new crypto.UserId(user), new crypto.DeviceId(device));
        const [request, outgoing] = found.requestVerification();
        verification = request;
        return told(outgoing);
    },
    verification_request_content: async (user) =>
        JSON.parse((await machine.getIdentity(new crypto.UserId(user))).verificationRequestContent()),
    verification_requested: async (user, room, event) => {
        const identity = await machine.getIdentity(new crypto.UserId(user));
        verification = identity.requestVerification(new crypto.RoomId(room), new crypto.EventId(event));
        return null;
    },
    receive_verification: (event, room) => machine.receiveVerificationEvent(JSON.stringify(event), new crypto.RoomId(room)),
    start_sas: async () => {
        const [, outgoing] = await verification.startSas();
        return told(outgoing);
    },
    emoji: () => verification.getVerification()?.emoji()?.map((each) => `${each.symbol} ${each.description}`) ?? null,
    confirm_sas: async () => (await verification.getVerification().confirm()).map(told),
    reject_sas: () => told(verification.getVerification().cancelWithCode("m.mismatched_sas")),
    is_verified: async (user, device) => {
        const found = await machine.getDevice(new crypto.UserId(user), new crypto.DeviceId(device));
        const identity = await machine.getIdentity(new crypto.UserId(user));
        return { device: found.isLocallyTrusted() || found.isCrossSigningTrusted(), identity: identity?.isVerified() ?? false };
    },
    verification: () => {
        const info = verification.cancelInfo;
        const cancelled = info ? { code: info.cancelCode(), reason: info.reason(), by_us: info.cancelledbyUs() } : null;
        return { phase: crypto.VerificationRequestPhase[verification.phase()], cancelled };
    },
    encrypt: async (room, type, content) =>
        JSON.parse(await machine.encryptRoomEvent(new crypto.RoomId(room), type, JSON.stringify(content))),
    receive: async (events, one_time_keys = {}, changed_users = []) => {
        const changed = new crypto.DeviceLists(users(changed_users));
        const counts = new Map(Object.entries(one_time_keys));
        const processed = await machine.receiveSyncChanges(JSON.stringify(events), changed, counts, undefined, settings());
        return processed.map((event) => ({ type: event.type, event: JSON.parse(event.rawEvent) }));
    },
    encrypt_to_device: async (user, device, type, content) => {
        const found = await machine.getDevice(new crypto.UserId(user), new crypto.DeviceId(device));
        return JSON.parse(await found.encryptToDeviceEvent(type, content));
    },
    decrypt: async (room, event) => {
        const decrypted = await machine.decryptRoomEvent(JSON.stringify(event), new crypto.RoomId(room), settings());
        return JSON.parse(decrypted.event);
    },
    encrypt_attachment: async (base64) => encrypted(crypto.Attachment.encrypt(Buffer.from(base64, "base64"))),
    decrypt_attachment: async (base64, file) => {
        const attachment = new crypto.EncryptedAttachment(Buffer.from(base64, "base64"), JSON.stringify(file));
        return Buffer.from(crypto.Attachment.decrypt(attachment)).toString("base64");
    },
};

await crypto.initAsync();
for await (const line of createInterface({ input: process.stdin })) {
    const [method, ...args] = JSON.parse(line);
    let answer;
    try {
        answer = { value: (await methods[method](...args)) ?? null };
    } catch (error) {
        answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
