# A change of a zone -> CloudTrail -> EventBridge (in one Region of the partition) -> our Region -> queue -> horizond.
# It says which zone changed, nothing else is believed; without it zones are looked at by the clock.

locals {
  remote = var.feed && var.route53_region != var.region

  # On detail alone: what stands around it differs between partitions.
  changes = jsonencode({
    source = ["aws.route53"]
    detail = {
      eventSource = ["route53.amazonaws.com"]
      eventName = [
        "ChangeResourceRecordSets", "CreateHostedZone", "DeleteHostedZone",
        "AssociateVPCWithHostedZone", "DisassociateVPCFromHostedZone",
      ]
    }
  })

  bus = "arn:${data.aws_partition.this.partition}:events:${var.region}:${data.aws_caller_identity.this.account_id}:event-bus/default"
}

resource "aws_sqs_queue" "changes" {
  count = var.feed ? 1 : 0

  name                       = "${var.name}-changes"
  message_retention_seconds  = 3600 # older news is no news: the daemon looks by the clock as well
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 30
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "changes" {
  count = var.feed ? 1 : 0

  queue_url = aws_sqs_queue.changes[0].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = aws_sqs_queue.changes[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.changes[0].arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "changes" {
  count = var.feed ? 1 : 0

  name          = "${var.name}-changes"
  description   = "Changes of Route 53 zones, for horizond"
  event_pattern = local.changes
}

resource "aws_cloudwatch_event_target" "queue" {
  count = var.feed ? 1 : 0

  rule = aws_cloudwatch_event_rule.changes[0].name
  arn  = aws_sqs_queue.changes[0].arn
}

# --- From the Region that hears of changes to ours ---

resource "aws_cloudwatch_event_rule" "home" {
  count    = local.remote ? 1 : 0
  provider = aws.home

  name          = "${var.name}-changes-to-${var.region}"
  description   = "Changes of Route 53 zones, for horizond in ${var.region}"
  event_pattern = local.changes
}

resource "aws_cloudwatch_event_target" "bus" {
  count    = local.remote ? 1 : 0
  provider = aws.home

  rule     = aws_cloudwatch_event_rule.home[0].name
  arn      = local.bus
  role_arn = aws_iam_role.feed[0].arn
}

resource "aws_iam_role" "feed" {
  count = local.remote ? 1 : 0

  name        = "${var.name}-feed-${var.region}"
  description = "EventBridge, from ${var.route53_region} to ${var.region}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "feed" {
  count = local.remote ? 1 : 0

  name = "bus"
  role = aws_iam_role.feed[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:PutEvents", Resource = local.bus }]
  })
}
