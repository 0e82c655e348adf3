#include "dns/type.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct number_name {
	uint16_t number;
	const char *name;
};

/* IANA "Resource Record (RR) TYPEs", by number. */
static const struct number_name types[] = {
	{1, "A"},           {2, "NS"},          {3, "MD"},        {4, "MF"},      {5, "CNAME"},
	{6, "SOA"},         {7, "MB"},          {8, "MG"},        {9, "MR"},      {10, "NULL"},
	{11, "WKS"},        {12, "PTR"},        {13, "HINFO"},    {14, "MINFO"},  {15, "MX"},
	{16, "TXT"},        {17, "RP"},         {18, "AFSDB"},    {19, "X25"},    {20, "ISDN"},
	{21, "RT"},         {22, "NSAP"},       {23, "NSAP-PTR"}, {24, "SIG"},    {25, "KEY"},
	{26, "PX"},         {27, "GPOS"},       {28, "AAAA"},     {29, "LOC"},    {30, "NXT"},
	{31, "EID"},        {32, "NIMLOC"},     {33, "SRV"},      {34, "ATMA"},   {35, "NAPTR"},
	{36, "KX"},         {37, "CERT"},       {38, "A6"},       {39, "DNAME"},  {40, "SINK"},
	{41, "OPT"},        {42, "APL"},        {43, "DS"},       {44, "SSHFP"},  {45, "IPSECKEY"},
	{46, "RRSIG"},      {47, "NSEC"},       {48, "DNSKEY"},   {49, "DHCID"},  {50, "NSEC3"},
	{51, "NSEC3PARAM"}, {52, "TLSA"},       {53, "SMIMEA"},   {55, "HIP"},    {59, "CDS"},
	{60, "CDNSKEY"},    {61, "OPENPGPKEY"}, {62, "CSYNC"},    {63, "ZONEMD"}, {64, "SVCB"},
	{65, "HTTPS"},      {66, "DSYNC"},      {99, "SPF"},      {104, "NID"},   {105, "L32"},
	{106, "L64"},       {107, "LP"},        {108, "EUI48"},   {109, "EUI64"}, {249, "TKEY"},
	{250, "TSIG"},      {251, "IXFR"},      {252, "AXFR"},    {253, "MAILB"}, {254, "MAILA"},
	{255, "ANY"},       {256, "URI"},       {257, "CAA"},     {258, "AVC"},   {259, "DOA"},
	{260, "AMTRELAY"},  {261, "RESINFO"},   {262, "WALLET"},
};

static const struct number_name rcodes[] = {
	{0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
	{5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
	{10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
	{19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static const char *name_of(const struct number_name *table, size_t count, unsigned int number)
{
	for (size_t i = 0; i < count && table[i].number <= number; i++) {
		if (table[i].number == number) {
			return table[i].name;
		}
	}
	return NULL;
}

/* "TYPE" and a number with neither sign nor blank before it (RFC 3597 section 5). */
static bool generic_parse(const char *word, uint16_t *ret_type)
{
	if (strncasecmp(word, "TYPE", 4) != 0 || word[4] < '0' || word[4] > '9') {
		return false;
	}
	char *end;
	unsigned long number = strtoul(word + 4, &end, 10);
	if (*end != '\0' || number > UINT16_MAX) {
		return false;
	}
	*ret_type = (uint16_t)number;
	return true;
}

bool dns_type_parse(const char *word, uint16_t *ret_type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (strcasecmp(word, types[i].name) == 0) {
			*ret_type = types[i].number;
			return true;
		}
	}
	return generic_parse(word, ret_type);
}

const char *dns_type_text(uint16_t type, char *buf)
{
	const char *name = name_of(types, COUNT_OF(types), type);
	if (name != NULL) {
		return name;
	}
	snprintf(buf, 16, "TYPE%u", (unsigned int)type);
	return buf;
}

const char *dns_rcode_text(unsigned int rcode, char *buf)
{
	const char *name = name_of(rcodes, COUNT_OF(rcodes), rcode);
	if (name != NULL) {
		return name;
	}
	snprintf(buf, 16, "RCODE%u", rcode & 0xffff);
	return buf;
}
