# The address is the interface's, and the interface is nobody's: an instance that is replaced takes it over.
resource "aws_network_interface" "this" {
  subnet_id       = var.subnet_id
  private_ips     = [var.address]
  security_groups = [aws_security_group.this.id]
  description     = "${var.name}: the resolver's fixed address"

  tags = { Name = var.name }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_security_group" "this" {
  name        = var.name
  description = "Questions from the VPC and the networks behind it"
  vpc_id      = data.aws_vpc.this.id

  tags = { Name = var.name }
}

locals {
  askers = concat([for block in data.aws_vpc.this.cidr_block_associations : block.cidr_block], var.clients)

  # One rule each, so that a list that grows changes no rule that is there.
  questions = {
    for pair in setproduct(["udp", "tcp"], local.askers) : "${pair[0]} ${pair[1]}" => {
      protocol = pair[0]
      from     = pair[1]
    }
  }
}

resource "aws_vpc_security_group_ingress_rule" "questions" {
  for_each = local.questions

  security_group_id = aws_security_group.this.id
  description       = "DNS over ${each.value.protocol}"
  ip_protocol       = each.value.protocol
  from_port         = 53
  to_port           = 53
  cidr_ipv4         = each.value.from
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each = toset(var.monitoring)

  security_group_id = aws_security_group.this.id
  description       = "Metrics"
  ip_protocol       = "tcp"
  from_port         = 9153
  to_port           = 9153
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.this.id
  description       = "Upstreams and the AWS API"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_instance" "this" {
  ami                  = var.ami
  instance_type        = var.instance_type
  key_name             = var.key_name == "" ? null : var.key_name
  iam_instance_profile = aws_iam_instance_profile.this.name

  user_data = templatefile("${path.module}/user_data.sh.tftpl", {
    install       = var.install
    horizond_conf = base64encode(var.horizond_conf)
    records_conf  = base64encode(var.records_conf)
  })
  user_data_replace_on_change = true

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.this.id
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
  }

  tags        = { Name = var.name }
  volume_tags = merge(var.tags, { Name = var.name })
}

resource "aws_vpc_endpoint" "this" {
  for_each = var.endpoints

  vpc_id              = data.aws_vpc.this.id
  service_name        = each.value
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [var.subnet_id]
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true

  tags = { Name = "${var.name} ${each.value}" }
}

resource "aws_security_group" "endpoints" {
  count = length(var.endpoints) > 0 ? 1 : 0

  name        = "${var.name}-endpoints"
  description = "The AWS API from inside the VPC"
  vpc_id      = data.aws_vpc.this.id

  tags = { Name = "${var.name} endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(var.endpoints) > 0 ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "The AWS API"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.this.id
}
