# Rights come from the same settings as the programs: horizon-aws iam-policy PROGRAM > policies/PROGRAM.json

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.${data.aws_partition.this.dns_suffix}" }
    }]
  })

  # What runs on the resolver's own instance. A policy that a program does not need is left out of the folder.
  own = toset([for name in ["daemon", "register", "health"] : name if fileexists("${var.policies}/${name}.json")])
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-${var.region}"
  description        = "horizond, its registration and its health figure"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "own" {
  for_each = local.own

  name   = each.value
  role   = aws_iam_role.this.id
  policy = file("${var.policies}/${each.value}.json")
}

resource "aws_iam_instance_profile" "this" {
  name = aws_iam_role.this.name
  role = aws_iam_role.this.name
}

# For the instances of a fleet that register themselves: what they may change is in register.json, nothing else.
resource "aws_iam_role" "register" {
  count = fileexists("${var.policies}/register.json") ? 1 : 0

  name               = "${var.name}-register-${var.region}"
  description        = "Instances that add and remove their own records"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "register" {
  count = length(aws_iam_role.register)

  name   = "register"
  role   = aws_iam_role.register[0].id
  policy = file("${var.policies}/register.json")
}

resource "aws_iam_instance_profile" "register" {
  count = length(aws_iam_role.register)

  name = aws_iam_role.register[0].name
  role = aws_iam_role.register[0].name
}

# The sweep may delete, so it has a role of its own, on an instance of its own.
resource "aws_iam_role" "sweep" {
  count = fileexists("${var.policies}/sweep.json") ? 1 : 0

  name               = "${var.name}-sweep-${var.region}"
  description        = "Removes the records of dead instances"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "sweep" {
  count = length(aws_iam_role.sweep)

  name   = "sweep"
  role   = aws_iam_role.sweep[0].id
  policy = file("${var.policies}/sweep.json")
}

resource "aws_iam_instance_profile" "sweep" {
  count = length(aws_iam_role.sweep)

  name = aws_iam_role.sweep[0].name
  role = aws_iam_role.sweep[0].name
}
