/*
 * Answers as the API's schema has them (facts sheet, section 0).
 */
#pragma once

#define SPACE "https://route53.amazonaws.com/doc/2013-04-01/"

#define FIXTURE_PAGE                                                                           \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                         \
	"<ListResourceRecordSetsResponse xmlns=\"" SPACE "\">\n"                               \
	"  <ResourceRecordSets>\n"                                                             \
	"    <ResourceRecordSet>\n"                                                            \
	"      <Name>\\052.corp.example.</Name><Type>A</Type><TTL>60</TTL>\n"                  \
	"      <ResourceRecords><ResourceRecord><Value>10.0.0.1</Value></ResourceRecord>\n"    \
	"                       <ResourceRecord><Value>10.0.0.2</Value></ResourceRecord>"      \
	"</ResourceRecords>\n"                                                                 \
	"    </ResourceRecordSet>\n"                                                           \
	"    <ResourceRecordSet>\n"                                                            \
	"      <Name>app.corp.example.</Name><Type>A</Type>"                                   \
	"<SetIdentifier>blue</SetIdentifier><Weight>10</Weight>\n"                             \
	"      <AliasTarget><HostedZoneId>Z0EXAMPLE</HostedZoneId>"                            \
	"<DNSName>be.corp.example.</DNSName>\n"                                                \
	"                   <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>\n" \
	"      <HealthCheckId>0f0e0d0c-0000-4000-8000-000000000000</HealthCheckId>\n"          \
	"    </ResourceRecordSet>\n"                                                           \
	"  </ResourceRecordSets>\n"                                                            \
	"  <IsTruncated>true</IsTruncated>\n"                                                  \
	"  <NextRecordName>app.corp.example.</NextRecordName>"                                 \
	"<NextRecordType>A</NextRecordType>\n"                                                 \
	"  <NextRecordIdentifier>green</NextRecordIdentifier>\n"                               \
	"  <MaxItems>300</MaxItems>\n"                                                         \
	"</ListResourceRecordSetsResponse>\n"

/* A page with these sets and this tail. */
#define PAGE(sets, tail)                                                                \
	"<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse xmlns=\"" SPACE "\">" \
	"<ResourceRecordSets>" sets "</ResourceRecordSets>" tail                        \
	"<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"

#define SOME_SET SET("b.", "A", "60", "10.0.0.1")

#define LAST "<IsTruncated>false</IsTruncated>"
#define NEXT(name, type)                                                           \
	"<IsTruncated>true</IsTruncated><NextRecordName>" name "</NextRecordName>" \
	"<NextRecordType>" type "</NextRecordType>"

#define SET(name, type, ttl, value)                                                       \
	"<ResourceRecordSet><Name>" name "</Name><Type>" type "</Type><TTL>" ttl "</TTL>" \
	"<ResourceRecords><ResourceRecord><Value>" value "</Value></ResourceRecord>"      \
	"</ResourceRecords></ResourceRecordSet>"

#define ERROR_BODY(code, message)                                                                \
	"<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"" SPACE "\"><Error><Type>Sender</Type>" \
	"<Code>" code "</Code><Message>" message "</Message></Error>"                            \
	"<RequestId>0f0e0d0c</RequestId></ErrorResponse>"
