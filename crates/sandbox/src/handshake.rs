//! The first words between Terraform and a plugin process: the cookie, the socket, the certificate, one line on stdout.
//!
//! Terraform starts the plugin, reads the line, and connects to the socket with TLS when it gave a certificate of its own
//! (it always does). The plugin's certificate is made for this one process and its key never leaves memory. The client's
//! certificate is not checked: it uses a curve that ring does not verify, and nobody but the same user may connect.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use tokio::net::UnixListener;
use tonic::transport::{Identity, ServerTlsConfig};

/// Terraform's sign that it is the one who started us.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("this is a Terraform plugin; only Terraform can start it")]
    NotTerraform,
    #[error("plugin socket {path} cannot be opened")]
    Socket { path: PathBuf, source: io::Error },
    #[error("plugin certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error("Terraform does not read the plugin's first line")]
    Line(#[from] io::Error),
}

/// A socket that Terraform will connect to. Its file goes when this does.
pub(crate) struct Socket {
    pub(crate) path: PathBuf,
    /// Taken once, by whoever serves.
    pub(crate) listener: Option<UnixListener>,
    pub(crate) tls: Option<ServerTlsConfig>,
    certificate: String,
}

/// Refuses everybody but Terraform.
pub(crate) fn check_cookie() -> Result<(), HandshakeError> {
    let is_ours = env::var(COOKIE.0).is_ok_and(|value| value == COOKIE.1);
    if is_ours { Ok(()) } else { Err(HandshakeError::NotTerraform) }
}

impl Socket {
    /// Opens the socket of this process. Must run inside a tokio runtime.
    pub(crate) fn open(provider: &str) -> Result<Self, HandshakeError> {
        let folder = env::var_os("PLUGIN_UNIX_SOCKET_DIR").filter(|folder| !folder.is_empty());
        let folder = folder.map_or_else(env::temp_dir, PathBuf::from);
        let path = folder.join(format!("alethia-sandbox-{provider}-{}.sock", std::process::id()));
        remove_stale(&path)?;
        let listener = bind(&path).map_err(|source| HandshakeError::Socket { path: path.clone(), source })?;
        let (tls, certificate) = if env::var_os("PLUGIN_CLIENT_CERT").is_some_and(|text| !text.is_empty()) {
            identity().map(|(tls, certificate)| (Some(tls), certificate))?
        } else {
            (None, String::new())
        };
        Ok(Self { path, listener: Some(listener), tls, certificate })
    }

    /// Tells Terraform where to connect.
    pub(crate) fn announce(&self) -> Result<(), HandshakeError> {
        let mut stdout = io::stdout();
        writeln!(stdout, "1|6|unix|{}|grpc|{}", self.path.display(), self.certificate)?;
        Ok(stdout.flush()?)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Terraform removes its own socket folder as well; there is nothing to do about a failure.
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A process id comes back some day, and with it the name of a socket that a killed process left behind.
fn remove_stale(path: &Path) -> Result<(), HandshakeError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(HandshakeError::Socket { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A certificate for `localhost` and, as Terraform wants it, its DER in base64 without padding.
fn identity() -> Result<(ServerTlsConfig, String), HandshakeError> {
    // The program may link more than one provider of cryptography, and rustls refuses to choose. An error means that
    // one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()])?;
    parameters.distinguished_name.push(DnType::CommonName, "localhost");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let identity = Identity::from_pem(certificate.pem(), key.serialize_pem());
    Ok((ServerTlsConfig::new().identity(identity), STANDARD_NO_PAD.encode(certificate.der())))
}
