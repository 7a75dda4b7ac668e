# Address and credentials come from the environment (TF_HTTP_*): they are good for one run and stand in no file.
terraform {
  backend "http" {}
}
