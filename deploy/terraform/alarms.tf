# The same two alarms that horizon-aws recovery-alarm makes, under the same names: it finds nothing to do.

resource "aws_sns_topic" "this" {
  name = var.name
}

resource "aws_sns_topic_subscription" "this" {
  for_each = toset(var.email)

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "recover" {
  alarm_name          = "horizond-recover-${aws_instance.this.id}"
  alarm_description   = "Moves the instance to other hardware; id and addresses stay"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"

  alarm_actions = [
    "arn:${data.aws_partition.this.partition}:automate:${var.region}:ec2:recover",
    aws_sns_topic.this.arn,
  ]
}

resource "aws_cloudwatch_metric_alarm" "health" {
  alarm_name          = "horizond-health-${aws_instance.this.id}"
  alarm_description   = "horizond is not ready, or has not been heard of, for three minutes of five"
  namespace           = "horizond"
  metric_name         = "Healthy"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"

  alarm_actions = [aws_sns_topic.this.arn]
  ok_actions    = [aws_sns_topic.this.arn]
}
