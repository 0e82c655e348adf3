# --- Where ---

variable "region" {
  description = "Region of the VPC. Everything is made there but the first hop of the change feed."
  type        = string
}

variable "route53_region" {
  description = "Region in which Route 53 tells of its changes: us-east-1, or the home Region of another partition."
  type        = string
  default     = "us-east-1"
}

variable "subnet_id" {
  description = "Subnet of the instance; its VPC is the one that is served."
  type        = string
}

variable "address" {
  description = "Private IPv4 address of the resolver. It lies on a network interface that outlives every instance."
  type        = string

  validation {
    condition     = can(cidrhost("${var.address}/32", 0))
    error_message = "An IPv4 address of the subnet, such as 10.0.0.4."
  }
}

# --- What ---

variable "name" {
  description = "Name of all that is made."
  type        = string
  default     = "horizond"
}

variable "tags" {
  description = "Tags on all that is made."
  type        = map(string)
  default     = {}
}

variable "ami" {
  description = "Image of the instance: Debian 12, for the architecture of instance_type."
  type        = string
}

variable "instance_type" {
  description = "Type of the instance. The network, not the processor, is what small types lack first."
  type        = string
  default     = "t4g.small"
}

variable "key_name" {
  description = "Key pair for ssh; empty: none."
  type        = string
  default     = ""
}

variable "install" {
  description = "Shell commands that install the programs, run as root at the first boot before the settings are written."
  type        = string
}

variable "horizond_conf" {
  description = "Text of /etc/horizond/horizond.conf; route53.queue is the output queue_url of an earlier run."
  type        = string
}

variable "records_conf" {
  description = "Text of /etc/horizond/records.conf; empty: the instance registers nothing."
  type        = string
  default     = ""
}

# --- Who may ask ---

variable "clients" {
  description = "CIDR blocks that may ask questions, beside the VPC's own."
  type        = list(string)
  default     = []
}

variable "monitoring" {
  description = "CIDR blocks that may read metrics on port 9153; the settings must listen there."
  type        = list(string)
  default     = []
}

# --- Rights ---

variable "policies" {
  description = "Folder with daemon.json, register.json, sweep.json and health.json, as horizon-aws iam-policy prints them."
  type        = string
}

# --- What is around it ---

variable "hand_out" {
  description = "Addresses that DHCP gives to the VPC's instances as their resolvers; empty: the option set stays as it is."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.hand_out) <= 4
    error_message = "An option set holds four addresses of a family."
  }
}

variable "domain" {
  description = "Domain name that DHCP gives; empty: AWS's own for the Region."
  type        = string
  default     = ""
}

variable "ntp" {
  description = "Time servers that DHCP gives."
  type        = list(string)
  default     = ["169.254.169.123"]
}

variable "email" {
  description = "Addresses that hear of alarms; each gets a mail that it must confirm."
  type        = list(string)
  default     = []
}

variable "feed" {
  description = "Whether changes of zones are told over a queue. Needs a trail that logs management events."
  type        = bool
  default     = true
}

variable "endpoints" {
  description = "Service names of interface endpoints for a subnet without a way out, such as com.amazonaws.route53."
  type        = set(string)
  default     = []
}
