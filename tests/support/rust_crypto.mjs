// One device with Element's crypto (matrix-sdk-crypto), driven by lines of JSON: [method, ...arguments] in, a value or
// {"error"} out. It does no requests: the test stands between it and the other devices, as a homeserver does.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const widget = createRequire(new URL("../../widget/package.json", import.meta.url));
const crypto = widget("@matrix-org/matrix-sdk-crypto-wasm");

let machine;
const settings = () => new crypto.DecryptionSettings(crypto.TrustRequirement.Untrusted);
const users = (ids) => ids.map((id) => new crypto.UserId(id));
const told = (request) => ({ id: request.id, type: request.type, body: JSON.parse(request.body) });

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
    missing_sessions: async (ids) => {
        const request = await machine.getMissingSessions(users(ids));
        return request ? told(request) : null;
    },
    share_room_key: async (room, ids) => {
        const requests = await machine.shareRoomKey(new crypto.RoomId(room), users(ids), new crypto.EncryptionSettings());
        return requests.map((request) => ({ ...told(request), event_type: request.event_type }));
    },
    encrypt: async (room, type, content) =>
        JSON.parse(await machine.encryptRoomEvent(new crypto.RoomId(room), type, JSON.stringify(content))),
    receive: async (events, one_time_keys = {}) => {
        const changed = new crypto.DeviceLists();
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
    encrypt_attachment: async (base64) => {
        const encrypted = crypto.Attachment.encrypt(Buffer.from(base64, "base64"));
        return {
            data: Buffer.from(encrypted.encryptedData).toString("base64"),
            file: JSON.parse(encrypted.mediaEncryptionInfo),
        };
    },
    decrypt_attachment: async (base64, file) => {
        const encrypted = new crypto.EncryptedAttachment(Buffer.from(base64, "base64"), JSON.stringify(file));
        return Buffer.from(crypto.Attachment.decrypt(encrypted)).toString("base64");
    },
};

await crypto.initAsync();
for await (const line of createInterface({ input: process.stdin })) {
    const [method, ...args] = JSON.parse(line);
    let answer;
    try {
        answer = { value: await methods[method](...args) };
    } catch (error) {
        answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
