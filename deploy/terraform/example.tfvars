# terraform apply -var-file=example.tfvars
region    = "eu-west-1"
subnet_id = "subnet-0123456789abcdef0"
address   = "10.0.0.4"
ami       = "ami-0123456789abcdef0"
policies  = "policies"
clients   = ["10.200.0.0/15"]
hand_out  = ["10.0.0.4"]
email     = ["ops@example.com"]
tags      = { Project = "dns" }

install = "apt-get update && apt-get install -y /opt/horizond.deb"

horizond_conf = <<-END
  listen = [ "10.0.0.4", "127.0.0.1" ];
  route53 = { vpc = "auto"; };
  rules = ( { type = "FORWARD"; domains = [ "corp.example.com" ]; targets = [ "10.200.0.53" ]; } );
END
