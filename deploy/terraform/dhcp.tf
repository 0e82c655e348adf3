# Instances take a new option set when they renew their lease. The set of before is not touched: to go back,
# empty hand_out after associating it by hand.

locals {
  own_domain = var.region == "us-east-1" ? "ec2.internal" : "${var.region}.compute.internal"
}

resource "aws_vpc_dhcp_options" "this" {
  count = length(var.hand_out) > 0 ? 1 : 0

  domain_name         = var.domain == "" ? local.own_domain : var.domain
  domain_name_servers = var.hand_out
  ntp_servers         = var.ntp

  tags = { Name = var.name }

  # Never a moment in which the VPC's set is one that is being deleted.
  lifecycle {
    create_before_destroy = true
  }
}

# Only once the resolver is there: who gets the address asks it at once.
resource "aws_vpc_dhcp_options_association" "this" {
  count = length(var.hand_out) > 0 ? 1 : 0

  vpc_id          = data.aws_vpc.this.id
  dhcp_options_id = aws_vpc_dhcp_options.this[0].id

  depends_on = [aws_instance.this]
}
