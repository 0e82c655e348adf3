output "address" {
  description = "The resolver's address: for conditional forwarders and hand_out."
  value       = var.address
}

output "instance_id" {
  description = "The instance that has the address now."
  value       = aws_instance.this.id
}

output "queue_url" {
  description = "For route53.queue in horizond.conf; empty: no feed."
  value       = var.feed ? aws_sqs_queue.changes[0].url : ""
}

output "topic" {
  description = "SNS topic that hears of alarms."
  value       = aws_sns_topic.this.arn
}

output "register_profile" {
  description = "Instance profile for a fleet that registers itself; empty: there was no register.json."
  value       = one(aws_iam_instance_profile.register[*].name)
}

output "sweep_profile" {
  description = "Instance profile for the one that sweeps; empty: there was no sweep.json."
  value       = one(aws_iam_instance_profile.sweep[*].name)
}
