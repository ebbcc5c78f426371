// Runs mlspeer against ts-mls, an implementation of RFC 9420 in TypeScript: a group whose
// members are of both kinds lives through adds, updates, removes, proposals, PSKs, external
// joins and messages, and all must agree after every commit. See ../README.md.
//
//   node ts-mls.mjs path/to/mlspeer [steps] [seed]
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import * as mls from "ts-mls"

const [program, steps = "120", seed = String(Date.now() % 1e9)] = process.argv.slice(2)
const hex = (b) => Buffer.from(b).toString("hex")
const unhex = (s) => new Uint8Array(Buffer.from(s, "hex"))
const text = (s) => new TextEncoder().encode(s)

let state = BigInt(seed)
function random(n) { // a small generator, so that a seed repeats a run
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
  return Number((state >> 33n) % BigInt(n))
}
const pick = (list) => list[random(list.length)]

// One process answers for all our members.
const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] })
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
async function ask(op, fields) {
  child.stdin.write(JSON.stringify({ op, ...fields }) + "\n")
  const answer = JSON.parse((await answers.next()).value)
  if (!answer.ok) throw new Error(`${op}: ${answer.error}`)
  return answer
}

const group = "0a0b"
const pskID = text("psk"), psk = text("a pre-shared key of any length")
let suite, impl

class Causa {
  constructor(name) { this.kind = "causa"; this.name = name; this.at = { client: name, group } }
  async init() {
    await ask("client", { client: this.name, suite })
    await ask("psk", { client: this.name, data: hex(pskID), key: hex(psk) })
  }
  create() { return ask("create", this.at) }
  async keyPackage() { return unhex((await ask("keyPackage", { client: this.name })).keyPackage) }
  join(welcome) { return ask("join", { client: this.name, welcome: hex(welcome) }) }
  async process(message) {
    const a = await ask("process", { ...this.at, message: hex(message) })
    return a.kind === "application" ? unhex(a.data) : a
  }
  async commit({ add = [], remove = [], psk = false, isPrivate = false, path = false }) {
    const op = add.length ? "add" : remove.length ? "remove" : "update"
    const a = await ask(op, { ...this.at, keyPackages: add.map(hex), members: remove, path, psks: psk ? [hex(pskID)] : [], private: isPrivate })
    return { commit: unhex(a.commit), welcome: a.welcome && unhex(a.welcome) }
  }
  async propose({ add, remove, isPrivate }) {
    const op = add ? "add" : remove !== undefined ? "remove" : "update"
    const a = await ask(op, { ...this.at, keyPackages: add ? [hex(add)] : [], members: remove !== undefined ? [remove] : [], propose: true, private: isPrivate })
    return unhex(a.proposals[0])
  }
  async send(data) { return unhex((await ask("send", { ...this.at, data: hex(data), padding: random(40) })).message) }
  async groupInfo() { return unhex((await ask("groupInfo", this.at)).groupInfo) }
  async external(info, resync) {
    return unhex((await ask("externalJoin", { client: this.name, groupInfo: hex(info), resync })).commit)
  }
  async summary() {
    const s = (await ask("state", this.at)).state
    const exported = await ask("export", { ...this.at, label: "l", context: "0102", length: 24 })
    return { own: s.own, epoch: s.epoch, auth: s.epochAuthenticator, members: s.members.length, exported: exported.bytes }
  }
}

class Other {
  constructor(name) { this.kind = "ts-mls"; this.name = name }
  async init() {
    this.credential = { credentialType: "basic", identity: text(this.name) }
    const kp = await this.fresh()
    this.keys = { signKey: kp.privatePackage.signaturePrivateKey, publicKey: kp.publicPackage.leafNode.signaturePublicKey }
    this.packages = []
  }
  fresh() {
    const args = [this.credential, mls.defaultCapabilities(), mls.defaultLifetime, []]
    return this.keys ? mls.generateKeyPackageWithKey(...args, this.keys, impl) : mls.generateKeyPackage(...args, impl)
  }
  async create() {
    const kp = await this.fresh()
    this.state = await mls.createGroup(unhex(group), kp.publicPackage, kp.privatePackage, [], impl)
  }
  async keyPackage() {
    const kp = await this.fresh()
    this.packages.push(kp)
    return mls.encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: kp.publicPackage })
  }
  get psks() { return mls.makePskIndex(this.state, { [mls.bytesToBase64(pskID)]: psk }) }
  async join(welcome) {
    const m = mls.decodeMlsMessage(welcome, 0)[0]
    const kp = this.packages.at(-1)
    this.state = await mls.joinGroup(m.welcome, kp.publicPackage, kp.privatePackage, this.psks, impl)
  }
  async process(message) {
    const m = mls.decodeMlsMessage(message, 0)[0]
    const r = await mls.processMessage(m, this.state, this.psks, mls.acceptAll, impl)
    this.state = r.newState
    return r.kind === "applicationMessage" ? r.message : { change: { selfRemoved: r.newState.groupActiveState.kind === "removedFromGroup" } }
  }
  addProposal(b) { return { proposalType: "add", add: { keyPackage: mls.decodeMlsMessage(b, 0)[0].keyPackage } } }
  async commit({ add = [], remove = [], psk = false, isPrivate = false }) {
    const extraProposals = [
      ...add.map((b) => this.addProposal(b)),
      ...remove.map((removed) => ({ proposalType: "remove", remove: { removed } })),
    ]
    if (psk) {
      const pskNonce = impl.rng.randomBytes(impl.kdf.size)
      extraProposals.push({ proposalType: "psk", psk: { preSharedKeyId: { psktype: "external", pskId: pskID, pskNonce } } })
    }
    const r = await mls.createCommit({ state: this.state, cipherSuite: impl, pskIndex: this.psks },
      { wireAsPublicMessage: !isPrivate, ratchetTreeExtension: true, extraProposals })
    this.state = r.newState
    return {
      commit: mls.encodeMlsMessage(r.commit),
      welcome: r.welcome && mls.encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome: r.welcome }),
    }
  }
  async propose({ add, remove, isPrivate }) {
    const p = add ? this.addProposal(add) : { proposalType: "remove", remove: { removed: remove } }
    const r = await mls.createProposal(this.state, !isPrivate, p, impl)
    this.state = r.newState
    return mls.encodeMlsMessage(r.message)
  }
  async send(data) {
    const r = await mls.createApplicationMessage(this.state, data, impl)
    this.state = r.newState
    return mls.encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage: r.privateMessage })
  }
  async groupInfo() {
    const info = await mls.createGroupInfoWithExternalPubAndRatchetTree(this.state, [], impl)
    return mls.encodeMlsMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo: info })
  }
  async external(info, resync) {
    const kp = await this.fresh()
    const r = await mls.joinGroupExternal(mls.decodeMlsMessage(info, 0)[0].groupInfo, kp.publicPackage, kp.privatePackage, resync, impl)
    this.state = r.newState
    return mls.encodeMlsMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage: r.publicMessage })
  }
  async summary() {
    const s = this.state
    const exported = await mls.mlsExporter(s.keySchedule.exporterSecret, "l", unhex("0102"), 24, impl)
    const members = s.ratchetTree.filter((n) => n?.nodeType === "leaf").length
    return { own: s.privatePath.leafIndex, epoch: Number(s.groupContext.epoch), auth: hex(s.keySchedule.epochAuthenticator), members, exported: hex(exported) }
  }
}

let members, born, did

async function newcomer(kind = random(2)) {
  const name = "device " + ++born
  const m = kind === 1 ? new Causa(name) : guarded(new Other(name))
  await m.init()
  return m
}

async function agree() {
  let want
  for (const m of members) {
    const { own, ...s } = await m.summary()
    m.own = own
    want ??= JSON.stringify(s)
    if (JSON.stringify(s) !== want) throw new Error(`${m.name} (${m.kind}) disagrees: ${JSON.stringify(s)} != ${want}`)
    if (s.members !== members.length) throw new Error(`${m.name} sees ${s.members} members, want ${members.length}`)
  }
}

// everybody gives a handshake message to all but its sender.
async function everybody(from, message, gone = []) {
  for (const m of members) {
    if (m === from) continue
    const r = await m.process(message)
    if (gone.includes(m) && !r.change.selfRemoved) throw new Error(`${m.name} doesn't see its removal`)
  }
  members = members.filter((m) => !gone.includes(m))
}

// A Foreign error is one that ts-mls throws by itself. Version 1.6.4 has faults that end a
// group's life early and say nothing about us: it refuses trees whose nodes have different
// unmerged leaves (section 12.4.3.1 allows them), and loses keys when a removed member's
// place is filled in the same commit, and knows no PSK in a private commit. Such lives are counted; any disagreement, and any
// error of ours, fails the run. Nor does it sort unmerged leaves (section 7.1), so that its
// members only add where the new leaf is the last. And where one half of the tree is empty,
// so that the root isn't in the filtered path, it derives the commit secret a step too far
// (section 12.4.1); its members don't commit then.
class Foreign extends Error {}

function guarded(target) {
  return new Proxy(target, {
    get(o, key) {
      const v = Reflect.get(o, key, o)
      if (typeof v !== "function") return v
      return async (...args) => {
        try {
          return await v.apply(o, args)
        } catch (err) {
          throw new Foreign(`${key}: ${err.message.split("\n")[0]}`)
        }
      }
    },
  })
}

function lopsided(gone) {
  const leaves = members.filter((m) => m !== gone).map((m) => m.own)
  const half = Math.max(...leaves) === 0 ? 0 : 2 ** Math.floor(Math.log2(Math.max(...leaves)))
  return half > 0 && !leaves.some((l) => l < half)
}

const dense = () => Math.max(...members.map((m) => m.own)) === members.length - 1

// External joins start from a group info of the same kind, because ts-mls 1.6.4 writes the
// external_pub extension without the length that section 12.4.3.2 has. The commits go to all.
async function step() {
  const m = pick(members), isPrivate = random(3) === 0
  const others = members.filter((o) => o !== m)
  const n = random(100)
  if (m.kind !== "causa" && lopsided()) return
  const count = (what) => { const key = `${m.kind} ${what}`; did[key] = (did[key] ?? 0) + 1 }
  if (n < 25 && members.length < 12 && (m.kind === "causa" || dense())) {
    count("add")
    const added = [await newcomer()]
    if (random(3) === 0) added.push(await newcomer())
    const r = await m.commit({ add: await Promise.all(added.map((a) => a.keyPackage())), psk: random(4) === 0, isPrivate, path: random(2) === 0 })
    await everybody(m, r.commit)
    for (const a of added) await a.join(r.welcome)
    members.push(...added)
  } else if (n < 37 && others.length > 1) {
    count("remove")
    const gone = pick(others)
    if (m.kind !== "causa" && lopsided(gone)) return
    const r = await m.commit({ remove: [gone.own], isPrivate })
    await everybody(m, r.commit, [gone])
  } else if (n < 52) {
    count("rotate")
    await everybody(m, (await m.commit({ isPrivate })).commit)
  } else if (n < 60) {
    count("psk")
    await everybody(m, (await m.commit({ psk: true, isPrivate })).commit)
  } else if (n < 72 && others.length > 2) {
    count("propose")
    const gone = random(2) || !dense() ? pick(others) : undefined, updater = others.find((o) => o.kind === "causa" && o !== gone)
    const added = gone ? undefined : await newcomer()
    await everybody(m, await m.propose(gone ? { remove: gone.own, isPrivate } : { add: await added.keyPackage(), isPrivate }))
    if (updater) await everybody(updater, await updater.propose({ isPrivate }))
    const able = members.filter((o) => o !== gone && o !== updater && (o.kind === "causa" || !lopsided(gone)))
    const committer = able.length ? pick(able) : updater ?? m
    const r = await committer.commit({ isPrivate })
    await everybody(committer, r.commit, [gone])
    if (added) {
      await added.join(r.welcome)
      members.push(added)
    }
  } else if (n < 80 && members.length < 12 && (m.kind === "causa" || dense())) {
    count("external joined by")
    const a = await newcomer(m.kind === "causa" ? 1 : 0)
    await everybody(a, await a.external(await m.groupInfo(), false))
    members.push(a)
  } else if (n < 84 && others.some((o) => o.kind === m.kind)) {
    count("resync by info of")
    const lost = pick(others.filter((o) => o.kind === m.kind))
    const message = await lost.external(await m.groupInfo(), true)
    await everybody(lost, message)
  } else {
    count("say")
    const data = text("message " + random(1e6)), message = await m.send(data)
    for (const o of others) {
      const got = await o.process(message)
      if (hex(got) !== hex(data)) throw new Error(`${o.name} hears something else`)
    }
  }
  await agree()
}

// ts-mls writes P-256 and P-521 signature keys compressed, where RFC 9420 (section 5.1.1)
// wants the uncompressed form, so that only suites with Ed25519 can be compared.
const names = {
  1: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  3: "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
}
console.log(`seed ${seed}`)
for (const id of Object.keys(names)) {
  suite = Number(id)
  impl = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(names[id]))
  let done = 0, lives = 0, epochs = 0
  const ends = {}
  did = {}
  while (done < Number(steps)) {
    lives++
    born = 0
    const first = await newcomer(lives % 2)
    await first.create()
    members = [first]
    await agree()
    try {
      for (; done < Number(steps); done++) await step()
    } catch (err) {
      if (!(err instanceof Foreign)) {
        console.error(`suite ${id}, step ${done}:`, did)
        throw err
      }
      ends[err.message] = (ends[err.message] ?? 0) + 1
      done++
    }
    const ours = members.find((m) => m.kind === "causa")
    if (ours) epochs += (await ours.summary()).epoch
  }
  console.log(`suite ${id}: ${done} steps, ${epochs} epochs in ${lives} lives`, did, "ended by ts-mls:", ends)
}
child.stdin.end()
