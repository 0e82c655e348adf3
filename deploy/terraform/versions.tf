terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = var.tags
  }
}

# Changes of Route 53 are told in one Region of the partition only.
provider "aws" {
  alias  = "home"
  region = var.route53_region

  default_tags {
    tags = var.tags
  }
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

data "aws_subnet" "this" {
  id = var.subnet_id
}

data "aws_vpc" "this" {
  id = data.aws_subnet.this.vpc_id
}
