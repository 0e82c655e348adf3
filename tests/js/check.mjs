// Calls the stand-in as the AWS SDK for JavaScript does, and says what is wrong. Arguments: URL, JSON of what stands there.
import assert from "node:assert/strict";
import {
  ChangeResourceRecordSetsCommand, GetHostedZoneCommand, ListHostedZonesByVPCCommand, ListResourceRecordSetsCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import {
  DeleteMessageBatchCommand, DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient,
} from "@aws-sdk/client-sqs";
import {
  AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient,
} from "@aws-sdk/client-sts";

const [endpoint, text] = process.argv.slice(2);
const there = JSON.parse(text);
const common = {
  endpoint, region: "us-east-1", maxAttempts: 1,
  credentials: { accessKeyId: there.keyId, secretAccessKey: there.secret },
};

async function refused(promise, name, status) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, name);
    assert.equal(error.$metadata.httpStatusCode, status);
    return true;
  });
}

async function list(client, zone) {
  const sets = [];
  let page = { IsTruncated: true };
  while (page.IsTruncated) {
    page = await client.send(new ListResourceRecordSetsCommand({
      HostedZoneId: zone, StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType,
      StartRecordIdentifier: page.NextRecordIdentifier }));
    sets.push(...page.ResourceRecordSets);
  }
  return sets;
}

const checks = {
  async "record sets in pages, weighted ones over a page's end"() {
    const client = new Route53Client(common);
    const sets = await list(client, there.zone);
    assert.equal(sets.length, there.sets);
    const weighted = sets.filter((set) => set.SetIdentifier !== undefined);
    assert.deepEqual(weighted.map((set) => set.Weight), there.weights);
    assert.equal(new Set(sets.map((s) => `${s.Name} ${s.Type} ${s.SetIdentifier}`)).size, sets.length);
    assert.ok(sets.some((set) => set.Name === "\\052.corp.example."));
  },
  async "a change, and one that is refused"() {
    const client = new Route53Client(common);
    const change = (Action, value) => client.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: there.zone,
      ChangeBatch: { Changes: [{ Action, ResourceRecordSet: {
        Name: "js.corp.example", Type: "A", TTL: 60, ResourceRecords: [{ Value: value }] } }] },
    }));
    const done = await change("CREATE", "10.0.0.7");
    assert.match(done.ChangeInfo.Id, /^\/change\/C/);
    await refused(change("CREATE", "10.0.0.7"), "InvalidChangeBatch", 400);
    await change("DELETE", "10.0.0.7");
  },
  async "zones, by id and by VPC"() {
    const client = new Route53Client(common);
    const zone = await client.send(new GetHostedZoneCommand({ Id: there.zone }));
    assert.equal(zone.HostedZone.Name, "corp.example.");
    assert.equal(zone.VPCs[0].VPCId, there.vpc);
    const found = await client.send(new ListHostedZonesByVPCCommand({
      VPCId: there.vpc, VPCRegion: "eu-west-1" }));
    assert.deepEqual(found.HostedZoneSummaries.map((summary) => summary.HostedZoneId), [there.zone]);
    await refused(client.send(new GetHostedZoneCommand({ Id: "ZNONE" })), "NoSuchHostedZone", 404);
  },
  async "a signature that does not hold"() {
    const client = new Route53Client({ ...common, credentials: { ...common.credentials, secretAccessKey: "x" } });
    await refused(client.send(new GetHostedZoneCommand({ Id: there.zone })), "SignatureDoesNotMatch", 403);
  },
  async "roles"() {
    const sts = new STSClient({ ...common, region: "eu-west-1" });
    const me = await sts.send(new GetCallerIdentityCommand({}));
    assert.equal(me.Account, "111122223333");
    const asked = { RoleArn: there.role, RoleSessionName: "js" };
    await refused(sts.send(new AssumeRoleCommand(asked)), "AccessDenied", 403);
    const got = await sts.send(new AssumeRoleCommand({ ...asked, ExternalId: "ext" }));
    assert.ok(got.Credentials.Expiration > new Date());
    const { AccessKeyId, SecretAccessKey, SessionToken } = got.Credentials;
    const as = new STSClient({ ...common, region: "eu-west-1", credentials: {
      accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } });
    assert.equal((await as.send(new GetCallerIdentityCommand({}))).Account, "444455556666");
    const web = await sts.send(new AssumeRoleWithWebIdentityCommand({ ...asked, WebIdentityToken: "eyJ.a.b" }));
    assert.match(web.Credentials.AccessKeyId, /^ASIA/);
  },
  async "messages, in JSON"() {
    const sqs = new SQSClient({ ...common, region: "eu-west-1", useQueueUrlAsEndpoint: false });
    const QueueUrl = there.queue;
    assert.equal((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages, undefined);
    for (const MessageBody of ["one", "zw\u00f6lf & <two>"]) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    }
    const got = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    assert.deepEqual(got.Messages.map((message) => message.Body), ["one", "zw\u00f6lf & <two>"]);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: got.Messages[0].ReceiptHandle }));
    const batch = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [
      { Id: "a", ReceiptHandle: got.Messages[1].ReceiptHandle }, { Id: "b", ReceiptHandle: "rubbish" }] }));
    assert.deepEqual(batch.Successful.map((entry) => entry.Id), ["a"]);
    assert.deepEqual(batch.Failed.map((entry) => entry.Id), ["b"]);
    await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl: `${QueueUrl}x` })), "QueueDoesNotExist", 400);
  },
};

let faults = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok   ${name}`);
  } catch (error) {
    faults += 1;
    console.log(`FAIL ${name}: ${error.stack ?? error}`);
  }
}
process.exit(faults === 0 ? 0 : 1);
